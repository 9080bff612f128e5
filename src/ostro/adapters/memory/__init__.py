"""In-process adapters: the work queue of a single process."""

from ostro.adapters.memory.queue import MemoryQueue

__all__ = ["MemoryQueue"]
