"""Tools for tests: of Ostro itself, and of people's own workflows."""

from ostro.testing.clock import VirtualClock
from ostro.testing.engine import VirtualEngine
from ostro.testing.store import MemoryStore
from ostro.testing.workflow import Result, TaskResult, Workflow, run_workflow

__all__ = ["MemoryStore", "Result", "TaskResult", "VirtualClock", "VirtualEngine", "Workflow", "run_workflow"]
