"""An owner of execution trees in virtual time: the same core, loading and timers as the server, without a loop.

Everything happens when it is asked for: `compute` runs steps, `commit` stores what they did and lets the effects out,
`fire` moves the clock to the next timer. `crash`, `hand_over` and `forget` lose memory as servers do.
Deterministic: the same calls with the same seed give the same rows.
"""

import random
import uuid
from collections.abc import Mapping
from typing import Any, Final

from ostro.core.actions import BUILTINS
from ostro.core.advance import advance, answer, push_command, push_timer
from ostro.core.codec import from_json
from ostro.core.env import Env, Limits, Vault
from ostro.core.handed import Handed
from ostro.core.records import collect
from ostro.core.state import Tree
from ostro.engine.definitions import Definitions
from ostro.engine.loading import Loader
from ostro.engine.looks import Looks
from ostro.engine.reads import Reads
from ostro.engine.residents import _drop_child, _is_over
from ostro.engine.timers import Timers
from ostro.expr.scope import MISSING
from ostro.model.actions import ActionInfo
from ostro.model.commands import ActionJob, Command
from ostro.model.errors import OstroError
from ostro.model.ids import IdMaker, shard_of
from ostro.model.records import Batch
from ostro.testing.catalog import upload
from ostro.testing.clock import VirtualClock
from ostro.testing.store import MemoryStore, at_once

_BEFORE_COMMIT = Definitions.kinds | Loader.kinds | {"exists", "source"}
_ENDLESS = 1 << 60  # microseconds: every timer is held in memory
ALL: Final = 1 << 30  # steps
_NOTHING: Final = Batch()


class Ticket:
    """A command on its way, and its reply: a value, or an OstroError. MISSING until it was committed."""

    __slots__ = ("command", "reply")

    def __init__(self, command: Command) -> None:
        self.command = command
        self.reply: Any = MISSING

    @property
    def is_open(self) -> bool:
        return self.reply is MISSING


class VirtualEngine:
    """`actions`: what may be called; those without `inline` become `jobs`, which the test finishes by FinishAction."""

    def __init__(
        self,
        store: MemoryStore | None = None,
        clock: VirtualClock | None = None,
        *,
        actions: Mapping[str, ActionInfo] = BUILTINS,
        seed: int = 0,
        limits: Limits | None = None,
        system_apis: Mapping[str, str] | None = None,
        vault: Vault | None = None,
    ) -> None:
        self.store = store or MemoryStore()
        self.clock = clock or VirtualClock()
        self.actions = actions
        self.limits = limits or Limits()
        self.system_apis = system_apis or {}
        self.vault = vault
        self.jobs: list[ActionJob] = []  # handed out, after the commit
        self.cancelled: list[str] = []  # action ids whose results are not wanted any more
        self.trees: dict[str, Tree] = {}
        self._random = random.Random(seed)
        self._ids = IdMaker(self.clock.now, self._random.getrandbits)
        self._open: list[Ticket] = []
        self._starting: set[str] = set()  # trees whose actions have not all been handed out again since a crash
        self._handed = Handed.LOST  # what became of actions at the last of these
        self._start()

    def _start(self) -> None:
        self._definitions = Definitions(self.store, from_json)
        self._timers = Timers(self.store, _ENDLESS)
        self._reads = Reads(self.store, self._definitions, Looks(self.store, self._definitions.saw_version))
        self._loader = Loader(self.store, self._definitions, self._timers)
        at_once(self._timers.load(self.clock.now()))

    # ------------------------------------------------------------------ what is asked of it

    def upload(self, text: str, namespace: str = "") -> list[str]:
        """Store definitions; see `ostro.testing.catalog.upload`."""
        names = upload(self.store, text, namespace)
        self._definitions.changed()
        return names

    def new_id(self) -> str:
        return self._ids.new_root()

    def submit(self, command: Command) -> Ticket:
        """Queue a command. Nothing happens before `compute`."""
        ticket = Ticket(command)
        self._open.append(ticket)
        push_command(self._tree(command.root_id), command, ticket)
        return ticket

    def call(self, command: Command) -> Any:
        """Carry out a command and all that follows from it at once. The reply; raises OstroError."""
        ticket = self.submit(command)
        self.settle()
        if isinstance(ticket.reply, Exception):
            raise ticket.reply
        return ticket.reply

    def settle(self) -> None:
        """Compute and commit until nothing is left but waits for timers, jobs and people."""
        while self.is_busy:
            self.compute()
            self.commit()

    @property
    def is_busy(self) -> bool:
        """Whether `compute` or `commit` has something to do."""
        return any(tree.steps or tree.needs or _is_dirty(tree) for tree in self.trees.values())

    def next_timer(self) -> int | None:
        """When the next timer is due, in microseconds since the epoch."""
        return min((timer.due_at for timer in self.store.timers.values()), default=None)

    def fire(self) -> bool:
        """Move the clock to the next timer and queue all that are due then. False if there is none."""
        due_at = self.next_timer()
        if due_at is None:
            return False
        self.clock.move_to(due_at)
        for timer in self._timers.due(self.clock.now()):
            push_timer(self._tree(timer.root_id), timer)
        return True

    # ------------------------------------------------------------------ batches

    def _tree(self, root_id: str) -> Tree:
        tree = self.trees.get(root_id)
        if tree is None:
            shard = shard_of(root_id)
            tree = self.trees[root_id] = Tree(root_id, shard, lambda: self._ids.new(shard))
        return tree

    def _env(self) -> Env:
        return Env(
            now=self.clock.now(),
            new_id=self._ids.new,
            uuid=lambda: str(uuid.UUID(int=self._random.getrandbits(128), version=4)),
            clock=self.clock.monotonic,
            random=self._random.random,
            actions=self.actions,
            lookup=self._definitions.cached,
            limits=self.limits,
            system_apis=self.system_apis,
            vault=self.vault,
        )

    def compute(self, most_steps: int = ALL) -> int:
        """Run up to that many steps of each tree. Questions about definitions are answered at once."""
        env = self._env()
        count = 0
        for tree in list(self.trees.values()):
            left = most_steps
            while left > 0 and tree.steps:
                ran = advance(env, tree, left, 1e300)
                left -= ran
                count += ran
                self._answer(tree, before_commit=True)
        return count

    def _answer(self, tree: Tree, before_commit: bool) -> None:
        wanted = [key for key in tree.needs if not before_commit or key[0] in _BEFORE_COMMIT]
        tree.needs = [key for key in tree.needs if key not in wanted]
        for key in wanted:
            answer(tree, key, self._ask(tree, key))

    def _ask(self, tree: Tree, key: tuple[Any, ...]) -> Any:
        try:
            if key[0] in Definitions.kinds:
                return at_once(self._definitions.answer(key))
            if key[0] == "execution":
                return at_once(self._loader.execution(tree, key[1]))
            if key[0] == "lone-action":
                return at_once(self._loader.lone_action(tree, key[1]))
            return at_once(self._reads.answer(key))
        except OstroError as error:
            return error

    def commit(self) -> bool:
        """Store everything that changed, in one batch, and let the effects out. Whether there was anything."""
        batch = Batch()
        trees = list(self.trees.values())
        for tree in trees:
            collect(tree, batch, self.clock.now())
        at_once(self.store.commit(batch))
        for tree in trees:
            for ticket, value in tree.replies:
                ticket.reply = value
            self.jobs += tree.jobs
            self.cancelled += tree.cancelled_jobs
            tree.replies, tree.jobs, tree.cancelled_jobs = [], [], []
        self._open = [ticket for ticket in self._open if ticket.is_open]
        self._timers.add(batch.timers)
        self._timers.remove(batch.timers_gone)
        for tree in trees:
            self._answer(tree, before_commit=False)
            self._put_away(tree)
        return batch != _NOTHING

    def _put_away(self, tree: Tree) -> None:
        for execution_id in tree.finished:
            _drop_child(tree, execution_id)
        tree.finished = []
        is_idle = not tree.steps and not tree.parked
        if is_idle:
            self._starting.discard(tree.root_id)
        if is_idle and _is_over(tree) and not any(ticket.command.root_id == tree.root_id for ticket in self._open):
            del self.trees[tree.root_id]

    # ------------------------------------------------------------------ losing memory

    def crash(self) -> None:
        """The process is gone and a new one starts: all but the rows is lost, open commands and jobs too."""
        self.jobs = []
        self._begin_again(Handed.LOST)

    def hand_over(self, loses_jobs: bool) -> None:
        """Another process takes the trees over: their executors live on. `loses_jobs`: the queue to them does not."""
        if loses_jobs:
            self.jobs = []
        # Where a crash has not been made good yet, executors that are gone are still to be replaced.
        self._begin_again(self._handed if self._starting else Handed.UNSURE)

    def _begin_again(self, handed: Handed) -> None:
        self.trees = {}
        self._open = []
        self._starting = set()
        self._handed = handed
        self._start()
        for root_id in at_once(self.store.unfinished_roots("", ALL)):
            at_once(self._loader.whole_tree(self._tree(root_id), handed))
            self._starting.add(root_id)

    def forget(self, root_id: str) -> None:
        """A tree leaves memory, with what was not committed, and is read again. Executors know nothing of it; open
        commands are carried out again."""
        self.trees.pop(root_id, None)
        tree = self._tree(root_id)
        for ticket in self._open:
            if ticket.command.root_id == root_id:
                push_command(tree, ticket.command, ticket)
        if root_id in self._starting:
            at_once(self._loader.whole_tree(tree, self._handed))
        else:
            at_once(self._loader.execution(tree, root_id))


def _is_dirty(tree: Tree) -> bool:
    return bool(tree.touched or tree.dirty_lone or tree.timers or tree.replies or tree.jobs or tree.deleted)
