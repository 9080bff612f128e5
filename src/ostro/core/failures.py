"""Failures inside the core, told apart by what they end."""

from ostro.model.errors import InvalidInput, OstroError


class TaskFailed(Exception):
    """An ordinary failure of a task, which `on-error` can handle. `result` is the task's result."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class WorkflowFailed(OstroError):
    """A failure that ends the whole workflow: an expression, a policy's value, an action's input."""

    code = "workflow_failed"


def text_of(error: BaseException) -> str:
    """The sentence of an error for `state_info`."""
    return error.message if isinstance(error, OstroError) else str(error)


def size_exceeded(kind: str, field: str, size: int, limit: int) -> InvalidInput:
    return InvalidInput(
        f"Field size limit exceeded [class={kind}, field={field}, size={size // 1024}KB, limit={limit // 1024}KB]"
    )
