"""Names of subjects, streams and consumers. See docs/how-to/nats.md for the table."""

import hashlib
import re
from typing import Final

_PLAIN: Final = re.compile(r"[A-Za-z0-9-]")
_LONGEST: Final = 96  # characters of a target in a name; longer ones are hashed
ANY: Final = "_"  # in place of a target: whoever asks first
LANES: Final = (0, 1)  # 0: projects with few actions in flight, 1: the others


def token(text: str | None) -> str:
    """A name as one part of a subject, and of a consumer's name: different ones stay different."""
    if text is None:
        return ANY
    found = "".join(
        char if _PLAIN.match(char) else "".join(f"_{byte:02x}" for byte in char.encode("utf-8", "surrogatepass"))
        for char in text
    )
    if not found:
        return "__"
    if len(found) > _LONGEST:
        return f"_h{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:40]}"
    return found


class Subjects:
    """All names of one installation."""

    __slots__ = ("actions_stream", "alive", "cancel", "prefix", "watch")

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.actions_stream = f"{prefix}_ACTIONS".upper().replace(".", "_")
        self.cancel = f"{prefix}.cancel"
        self.alive = f"{prefix}.alive"
        self.watch = f"{prefix}.watch"

    # jobs

    @property
    def actions(self) -> str:
        """What the stream of actions holds."""
        return f"{self.prefix}.act.>"

    def action(self, lane: int, target: str) -> str:
        """`target`: as `token` gives it."""
        return f"{self.prefix}.act.{lane}.{target}"

    def consumer(self, lane: int, target: str) -> str:
        return f"{target}-{lane}"

    # the owner of a shard, or one engine process

    def commands(self, shard: int) -> str:
        return f"{self.prefix}.shard.{shard}.command"

    def shard_reports(self, shard: int) -> str:
        """For reports of executors whose engine has gone."""
        return f"{self.prefix}.shard.{shard}.report"

    def shard(self, shard: int) -> str:
        return f"{self.prefix}.shard.{shard}.*"

    def reports(self, epoch: int) -> str:
        return f"{self.prefix}.engine.{epoch}.report"

    def job(self, epoch: int, target: str) -> str:
        """Ask for the whole of a large job for that target."""
        return f"{self.prefix}.engine.{epoch}.job.{target}"

    def engine(self, epoch: int) -> str:
        return f"{self.prefix}.engine.{epoch}.>"

    # everybody

    def signal(self, name: str) -> str:
        return f"{self.prefix}.signal.{name}"

    def live(self, project_id: str | None) -> str:
        """None: what only those hear who see all projects."""
        return f"{self.prefix}.live.{token(project_id)}"

    def inbox(self, role: str, name: str) -> str:
        """Where answers come in: of one's own, so that nobody can listen to another's."""
        return f"{self.prefix}.inbox.{role}.{token(name)}"
