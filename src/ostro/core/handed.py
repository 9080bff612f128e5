"""What a process that reads a tree may suppose of the actions that were handed out."""

from enum import IntEnum


class Handed(IntEnum):
    """KEPT: executors, or the queue to them, have them. UNSURE: so it is, but those that nobody has begun may be lost
    (the shard was another process's, whose executors live on). LOST: all are (executors end with the process)."""

    KEPT = 0
    UNSURE = 1
    LOST = 2
