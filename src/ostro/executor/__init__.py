"""Runs actions for the engine. For plug-ins: `Context`, `ActionFailed`, `asynchronous`."""

from ostro.executor.context import Context
from ostro.executor.executor import Executor
from ostro.executor.plugins import asynchronous
from ostro.executor.registry import Registry, load_registry
from ostro.executor.settings import ExecutorSettings
from ostro.model.actions import ActionFailed

__all__ = ["ActionFailed", "Context", "Executor", "ExecutorSettings", "Registry", "asynchronous", "load_registry"]
