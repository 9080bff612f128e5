"""One simulated run: a random workflow, random events in a random order, lost memory at random moments, and everything
that must always be true checked after every commit."""

import random
from dataclasses import dataclass, field
from typing import Any

import msgspec

from ostro.core.actions import BUILTINS
from ostro.core.invariants import stored_violations, violations
from ostro.core.redelivery import MOST_BEGINS
from ostro.core.state import Action
from ostro.model import commands as c
from ostro.model.actions import ActionInfo
from ostro.model.errors import OstroError
from ostro.model.records import ActionRecord
from ostro.model.states import COMPLETED, ERROR, PAUSED, SUCCESS
from ostro.testing.engine import ALL, Ticket, VirtualEngine
from ostro.testing.store import at_once
from tests.simulation.compare import differences
from tests.simulation.generator import workflow

ACTIONS = {**BUILTINS, "sim.run": ActionInfo(name="sim.run")}


class Broken(AssertionError):
    """An invariant does not hold. The message tells the seed, what happened before, and what is wrong."""


@dataclass
class Chances:
    """How often, of 1000 events, something other than ordinary progress happens."""

    crash: int = 40
    forget: int = 40
    hand_over: int = 40
    command: int = 60
    late: int = 30
    redeliver: int = 20
    many_steps: int = 300  # of 1000 batches: as many steps as there are, else 1 to 5


CALM = Chances(crash=0, forget=0, hand_over=0, command=0, late=0, redeliver=0, many_steps=1000)


@dataclass
class World:
    seed: int
    chances: Chances = field(default_factory=Chances)
    plain: bool = False

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        self.text = workflow(self.rng, self.plain)
        self.engine = VirtualEngine(actions=ACTIONS, seed=self.seed)
        self.engine.upload(self.text)
        self.root_id = self.engine.new_id()
        self.log: list[str] = []
        self.steps = 0
        self.reruns = 0
        self.in_hand: list[c.ActionJob] = []  # taken by executors
        self.over: list[c.FinishAction] = []  # results sent once, to be sent again
        self.told: dict[str, tuple[str, Any]] = {}  # action id -> what the caller was told is kept
        self.begins: dict[str, set[str]] = {}  # action id -> executors that were told to begin
        self.safe: set[str] = set()  # ids of actions that may begin more than once
        params = {"task_name": "t1"} if '"type": "reverse"' in self.text else {}
        self.say("start", self.text)
        self.start = c.StartExecution(root_id=self.root_id, workflow="main", params=params)
        self.tickets: list[Ticket] = [self.engine.submit(self.start)]

    # ------------------------------------------------------------------ the run

    def run(self, most: int) -> int:
        """Up to that many events, then ordinary progress to the end. Returns how many there were."""
        for _ in range(most):
            if self._explodes():
                return self.steps
            if not self.event():
                break
        calm = self.chances
        self.chances = CALM
        for _ in range(4000):
            if self._explodes():
                self.chances = calm
                return self.steps
            if not self.event():
                self.check_end()
                self.chances = calm
                return self.steps
        raise self.broken(["the workflow does not come to rest"])

    def _explodes(self) -> bool:
        """A loop that starts two tasks for one would end, but not soon: each check looks at all of them."""
        return len(self.engine.store.tasks) > 500

    def event(self) -> bool:
        """One thing happens. False if nothing is left to happen."""
        self.steps += 1
        draw = self.rng.randrange(1000)
        chances = self.chances
        for chance, happen in (
            (chances.crash, self.crash),
            (chances.forget, self.forget),
            (chances.hand_over, self.hand_over),
            (chances.command, self.command),
            (chances.late, self.repeat),
            (chances.redeliver, self.redeliver),
        ):
            if draw < chance:
                happen()
                return True
            draw -= chance
        return self.progress()

    def forget(self) -> None:
        self.say("forget")
        self.engine.forget(self.root_id)

    def progress(self) -> bool:
        """Ordinary life: compute, commit, executors, people who finish asynchronous actions, time."""
        engine = self.engine
        choices = []
        if any(tree.steps for tree in engine.trees.values()):
            choices.append(self.compute)
        if engine.is_busy:
            choices.append(self.commit)
        if engine.jobs:
            choices.append(self.take)
        if self.in_hand:
            choices.append(self.finish)
        if not choices or self.rng.random() < 0.2:
            if self._asynchronous():
                choices.append(self.call_back)
            if engine.next_timer() is not None and not engine.is_busy:
                choices.append(self.fire)
        if not choices:
            return self._start_again()
        self.rng.choice(choices)()
        return True

    def _start_again(self) -> bool:
        if self.root_id not in self.engine.store.executions and self.tickets[0].is_open:
            self.tickets[0] = self.engine.submit(self.start)
            return True
        paused = [row.id for row in self.engine.store.executions.values() if row.state == PAUSED]
        if paused and self.chances is CALM:
            self.say("resume at the end", paused[0])
            self.engine.submit(c.ChangeExecution(root_id=self.root_id, execution_id=paused[0], state="RUNNING"))
            return True
        return False

    def compute(self) -> None:
        many = self.rng.randrange(1000) < self.chances.many_steps
        count = ALL if many else self.rng.randint(1, 5)
        self.say("compute", "all" if many else count)
        self.engine.compute(count)

    def commit(self) -> None:
        self.say("commit")
        self.engine.commit()
        self.check()

    def fire(self) -> None:
        self.say("fire")
        self.engine.fire()

    # ------------------------------------------------------------------ executors

    def take(self) -> None:
        job = self.engine.jobs.pop(self.rng.randrange(len(self.engine.jobs)))
        self.in_hand.append(job)
        if job.safe_rerun:
            self.safe.add(job.action_id)
        self.say("take", job.action_id, job.attempt)
        if self.rng.random() < 0.7:
            self._send(c.ActionTaken, job, executor="sim", process=str(self.steps))

    def redeliver(self) -> None:
        """The queue gives a job to another executor, since its holder is silent; that one may live on."""
        if not self.in_hand:
            return
        job = self.rng.choice(self.in_hand)
        if self.rng.random() < 0.5:
            self.in_hand.append(job)
        self.say("redeliver", job.action_id, job.attempt)
        self.engine.clock.advance(5)
        self._send(c.ActionTaken, job, executor="sim", process=str(self.steps))

    def finish(self) -> None:
        job = self.in_hand.pop(self.rng.randrange(len(self.in_hand)))
        state = SUCCESS if self.plain or self.rng.random() < 0.8 else ERROR
        self.say("finish", job.action_id, state)
        self.over.append(self._send(c.FinishAction, job, state=state, result="done"))

    def _send(self, kind: type, job: c.ActionJob, **more: Any) -> Any:
        command = kind(
            root_id=job.root_id, execution_id=job.execution_id, task_id=job.task_id, action_id=job.action_id,
            attempt=job.attempt, **more,
        )  # fmt: skip
        self.tickets.append(self.engine.submit(command))
        return command

    def _asynchronous(self) -> list[Any]:
        rows = self.engine.store.actions.values()
        return [row for row in rows if row.state not in COMPLETED and row.name == "std.async_noop"]

    def call_back(self) -> None:
        row = self.rng.choice(self._asynchronous())
        draw = self.rng.random()
        state = SUCCESS if self.plain or draw < 0.7 else ERROR if draw < 0.9 else "CANCELLED"
        self.say("call back", row.id, state)
        self._api(c.FinishAction, row, state=state, result="called")

    def _api(self, kind: type, row: Any, **more: Any) -> None:
        ids = {"execution_id": row.execution_id, "task_id": row.task_execution_id, "action_id": row.id}
        self.tickets.append(self.engine.submit(kind(root_id=self.root_id, **ids, **more)))

    # ------------------------------------------------------------------ people

    def command(self) -> None:
        """Anything that the API lets people ask for, sensible or not."""
        store = self.engine.store
        if not store.executions:
            return
        execution = self.rng.choice(list(store.executions.values()))
        tasks = [row for row in store.tasks.values() if row.execution_id == execution.id]
        failed = [row for row in tasks if row.state == ERROR]
        draw = self.rng.random()
        if failed and draw < 0.5:
            task = self.rng.choice(failed)
            kind = self.rng.choice([c.RerunTask, c.RerunTask, c.SkipTask])
            more = {"reset": self.rng.random() < 0.6} if kind is c.RerunTask else {}
            self.reruns += 1
            self.say(kind.__name__, task.name, task.id, more)
            self._ask(kind(root_id=self.root_id, execution_id=execution.id, task_id=task.id, **more))
        elif draw < 0.93 or not self._asynchronous():
            states = ["PAUSED", "PAUSED", "RUNNING", "RUNNING", "RUNNING"]
            if self.rng.random() < 0.15:
                states = ["ERROR", "CANCELLED", "SUCCESS"]
            state = self.rng.choice(states)
            self.say("change", execution.workflow_name, execution.id, state)
            self._ask(c.ChangeExecution(root_id=self.root_id, execution_id=execution.id, state=state, state_info="sim"))
        else:
            row = self.rng.choice(self._asynchronous())
            state = self.rng.choice(["PAUSED", "RUNNING"])
            self.say("change action", row.id, state)
            self._api(c.ChangeAction, row, state=state)

    def _ask(self, command: c.Command) -> None:
        self.tickets.append(self.engine.submit(command))

    def repeat(self) -> None:
        """A result comes twice, or late."""
        if self.over:
            command = self.rng.choice(self.over)
            self.say("repeat", command.action_id, command.attempt)
            self.tickets.append(self.engine.submit(command))

    def crash(self) -> None:
        self.say("crash")
        self.engine.crash()
        kept = self.rng.random() < 0.5  # an executor elsewhere lives on, and its result comes late
        for job in self.in_hand:
            if kept:
                self.over.append(
                    c.FinishAction(
                        root_id=job.root_id, execution_id=job.execution_id, task_id=job.task_id,
                        action_id=job.action_id, attempt=job.attempt, state=SUCCESS, result="late",
                    )
                )  # fmt: skip
        self.in_hand = []
        self.tickets = self.tickets[:1]  # callers learn that the connection is gone
        self.check()

    def hand_over(self) -> None:
        """Another process owns the tree now. Executors live on; what they have not begun may be lost on its way."""
        loses_jobs = self.rng.random() < 0.5
        self.say("hand over", "without jobs" if loses_jobs else "")
        unheard = [
            ticket.command
            for ticket in self.tickets[1:]
            if ticket.is_open
            and isinstance(ticket.command, (c.FinishAction, c.ActionTaken))
            and ticket.command.attempt is not None
        ]
        if loses_jobs:  # also those on their way to be begun, of which the engine has not heard
            begun = {row.id for row in self.engine.store.actions.values() if row.taken_at is not None}
            begun |= {command.action_id for command in unheard}
            self.in_hand = [job for job in self.in_hand if job.action_id in begun]
        self.engine.hand_over(loses_jobs)
        self.tickets = self.tickets[:1]  # callers learn that the executions have moved; executors report again
        self.tickets += [self.engine.submit(command) for command in unheard]
        self.check()

    # ------------------------------------------------------------------ what must hold

    def say(self, *what: Any) -> None:
        self.log.append(" ".join(str(part) for part in what))

    def broken(self, wrong: list[Any]) -> Broken:
        told = "\n".join(self.log)
        return Broken(f"seed {self.seed}, event {self.steps}\n{told}\n=> " + "\n=> ".join(str(one) for one in wrong))

    def check(self) -> None:
        engine = self.engine
        handed = {(job.action_id, job.attempt) for job in (*engine.jobs, *self.in_hand)}
        sent = {
            (ticket.command.action_id, ticket.command.attempt)
            for ticket in self.tickets
            if ticket.is_open and isinstance(ticket.command, c.FinishAction)
        }

        def is_handed_out(action: Action) -> bool:
            key = (action.id, action.attempt)
            tree_jobs = {(job.action_id, job.attempt) for tree in engine.trees.values() for job in tree.jobs}
            return key in handed or key in sent or key in tree_jobs

        wrong: list[Any] = []
        for tree in engine.trees.values():
            wrong += violations(tree, engine.store.timers.values(), is_handed_out)
            if self.steps % 4 == 0 and not tree.steps and not tree.parked:
                wrong += differences(engine, tree, with_contexts=not self.reruns)
        wrong += self._wrong_rows()
        wrong += self._wrong_begins()
        for ticket in self.tickets:
            reply = ticket.reply
            if isinstance(reply, Exception) and not isinstance(reply, OstroError):
                wrong.append(f"{ticket.command} was answered with {reply!r}")
            elif isinstance(ticket.command, c.FinishAction) and isinstance(reply, ActionRecord):
                self.told[ticket.command.action_id] = (reply.state, reply.output)
            elif isinstance(ticket.command, c.ActionTaken) and reply is True:
                self.begins.setdefault(ticket.command.action_id, set()).add(ticket.command.process or "")
        self.tickets = [self.tickets[0], *(ticket for ticket in self.tickets[1:] if ticket.is_open)]
        if wrong:
            raise self.broken(wrong)

    def _wrong_begins(self) -> list[Any]:
        most = {id: MOST_BEGINS if id in self.safe else 1 for id in self.begins}
        return [f"action {id} was begun {len(by)} times" for id, by in self.begins.items() if len(by) > most[id]]

    def _wrong_rows(self) -> list[Any]:
        store = self.engine.store
        wrong: list[Any] = []
        for id, (state, output) in self.told.items():
            row = store.actions[id]
            if row.state != state or row.output not in (output, "{}"):  # keep-result: false clears it
                wrong.append(f"the result of action {id} was accepted as {state} and is {row.state}")
        children: dict[tuple[str, int], int] = {}
        accepted: dict[tuple[str, int], int] = {}
        for row in (*store.actions.values(), *(e for e in store.executions.values() if e.task_execution_id)):
            key = (row.task_execution_id or "", row.idx)
            children[key] = children.get(key, 0) + 1
            if row.accepted:
                accepted[key] = accepted.get(key, 0) + 1
        for (task_id, idx), count in accepted.items():
            if count > 1:
                wrong.append(f"{count} results count for task {store.tasks[task_id].name}, item {idx} [{task_id}]")
        for (task_id, idx), count in children.items():
            runs = msgspec.json.decode(store.tasks[task_id].internal).get("r", 1)
            if count > runs:
                name = store.tasks[task_id].name
                wrong.append(f"task {name}, item {idx} was executed {count} times in {runs} attempts [{task_id}]")
        for task in store.tasks.values():
            execution = store.executions[task.execution_id]
            if execution.created_at > task.created_at:
                wrong.append(f"task {task.id} is older than its execution")
        ids = at_once(store.unfinished_in_tree(self.root_id))
        if ids:
            for id in ids:  # grows while it is walked
                parent = store.executions[id].parent_id
                if parent is not None and parent not in ids:
                    ids.append(parent)
            stored = at_once(store.load_executions(list(dict.fromkeys([self.root_id, *ids]))))
            graphs = self.engine._definitions
            wrong += stored_violations(stored, lambda one: at_once(graphs.graph(one.record.revision_id)), {})
        return wrong

    def check_end(self) -> None:
        """Nothing is left to happen: whatever is unfinished would never end."""
        wrong = [
            f"execution {row.workflow_name} is {row.state} for ever [{row.id}]"
            for row in self.engine.store.executions.values()
            if row.state not in COMPLETED
        ]
        if self.root_id not in self.engine.store.executions and not isinstance(self.tickets[0].reply, OstroError):
            wrong.append("the execution was never started")
        wrong += [f"{ticket.command} was never answered" for ticket in self.tickets[1:] if ticket.is_open]
        if wrong:
            raise self.broken(wrong)

    def outcome(self) -> Any:
        """What a run has come to, without ids, times, and values that depend on which of two branches was first."""
        store = self.engine.store

        def of(id: str) -> tuple[str, list[Any]]:
            tasks = []
            for row in store.tasks.values():
                if row.execution_id == id:
                    below = [child.id for child in store.executions.values() if child.task_execution_id == row.id]
                    tasks.append((row.name, row.state, row.published, sorted(of(child) for child in below)))
            return store.executions[id].state, sorted(tasks)

        return of(self.root_id)
