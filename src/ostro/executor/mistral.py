"""Actions written for Mistral: subclasses of `mistral_lib.actions.Action`, run unchanged.

Parameters come from `__init__`; `run(context)` gives a value or a Result (data, error, cancel); `is_sync()` of the
instance decides whether the action has ended then. Needs the extra `ostro[mistral]` (the classes import mistral_lib
themselves). Everything runs in a thread, because such code may block.
"""

import functools
import inspect
from typing import Any

from ostro.executor.context import Context
from ostro.executor.outcome import CANCELLED_OUTCOME, WAITING_OUTCOME, Outcome, redacted
from ostro.executor.registry import Action
from ostro.executor.signature import Signature, signature_of
from ostro.model.actions import ActionInfo
from ostro.model.states import ERROR, SUCCESS


def is_mistral_class(target: Any) -> bool:
    """Whether it is a subclass of mistral_lib's Action; does not need mistral_lib to be there."""
    return inspect.isclass(target) and any(
        base.__module__.startswith("mistral_lib.actions") and base.__name__ == "Action" for base in target.__mro__
    )


def mistral_action(name: str, target: Any) -> Action:
    """Raises ValueError if it is no class with a method `run`."""
    if not inspect.isclass(target) or not callable(getattr(target, "run", None)):
        raise ValueError("not a class with a method 'run'")
    cls: Any = target
    own_init = cls.__init__ is not object.__init__
    signature = signature_of(cls.__init__, skip_first=True) if own_init else Signature((), False, None)
    info = ActionInfo(
        name=name,
        params=signature.params,
        description=inspect.getdoc(cls) or "",
        class_name=f"{cls.__module__}.{cls.__qualname__}",
        accepts_any=signature.accepts_any,
        is_async=_starts_only(cls),
    )

    async def call_method(method: str, context: Context, given: dict[str, Any]) -> Outcome:
        def call() -> Outcome:
            try:
                action = cls(**given)
            except Exception as exc:
                reason = redacted(str(exc), given)
                return Outcome(ERROR, f"Failed to instantiate an action [action_desc={name}]: {reason}")
            work = getattr(action, method)
            value = work(_mistral_context(context)) if _takes_context(getattr(cls, method)) else work()
            is_sync = action.is_sync() if hasattr(action, "is_sync") else True
            return _outcome(value, is_sync=bool(is_sync))

        outcome: Outcome = await context.services.threads.run(call)
        return outcome

    rehearse = functools.partial(call_method, "test") if callable(getattr(cls, "test", None)) else None
    return Action(info, functools.partial(call_method, "run"), rehearse=rehearse)


def _takes_context(method: Any) -> bool:
    return len(inspect.signature(method).parameters) > 1  # `self` and one more


def _outcome(value: Any, *, is_sync: bool) -> Outcome:
    data = value
    if all(hasattr(value, part) for part in ("is_error", "is_cancel", "data", "error")):
        if value.is_cancel():
            return CANCELLED_OUTCOME
        if value.is_error():
            return Outcome(ERROR, value.error)
        data = value.data
    return Outcome(SUCCESS, data) if is_sync else WAITING_OUTCOME


def _starts_only(cls: Any) -> bool:
    """What the class says of itself before there is an instance; an `is_sync` that reads attributes cannot."""
    try:
        return not cls.__new__(cls).is_sync()
    except Exception:  # foreign code on a bare instance
        return False


def _mistral_context(context: Context) -> Any:
    from mistral_lib.actions.context import ActionContext, ExecutionContext, SecurityContext

    return ActionContext(
        SecurityContext(project_id=context.project_id),
        ExecutionContext(
            workflow_execution_id=context.workflow_execution_id,
            task_execution_id=context.task_id,
            action_execution_id=context.action_execution_id,
            workflow_name=context.workflow_name,
            callback_url=context.callback_url,
        ),
    )
