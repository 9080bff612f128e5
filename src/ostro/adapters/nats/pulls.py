"""How many jobs to ask for where: an executor's free places, shared out among its consumers."""

from collections.abc import Sequence
from typing import Final

_WEIGHTS: Final = (3, 1)  # of the lanes: projects with few jobs go first, the others are not starved


class Pull:
    """What is known of one consumer. `asked`: jobs that were asked for and have not come; `pending`: how many it had
    when the last one came; `heard_at`: when it last gave a sign, `job_at`: a job, in monotonic seconds."""

    __slots__ = ("asked", "heard_at", "is_broken", "job_at", "lane", "pending", "round", "target")

    def __init__(self, lane: int, target: str) -> None:
        self.lane = lane
        self.target = target
        self.asked = 0
        self.pending = 0
        self.heard_at = 0.0
        self.job_at = 0.0
        self.round = 0  # answers to requests of earlier rounds are of no interest
        self.is_broken = True  # until its consumer is known to exist


def shares(pulls: Sequence[Pull], room: int) -> list[int]:
    """How many jobs each may have open requests for: half of the room is spread over all, so that whatever comes first
    comes at once; the other half goes to those that have jobs. At least one each, so a few more may come than there is
    room for."""
    if room < 1:
        return [0] * len(pulls)
    busy = [one for one in pulls if one.pending > 0]
    spread = room if not busy else room - room // 2
    base = max(1, spread // len(pulls))
    rest = max(0, room - base * len(pulls))
    weight = sum(_WEIGHTS[one.lane] for one in busy)
    return [base + (rest * _WEIGHTS[one.lane] // weight if one.pending > 0 else 0) for one in pulls]
