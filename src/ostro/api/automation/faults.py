"""Errors of this API: `{"faultstring": ..., "errors": [{"loc", "msg"}]}`; what is wrong with a document is a 422."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from ostro.api.call import Answer, Call, Disconnected, json_answer
from ostro.api.faults import answer_error, status_of
from ostro.api.routing import Handler
from ostro.model.errors import DefinitionError, InvalidInput, OstroError, Problem

Finding = dict[str, Any]  # "loc", "msg"; of YAML also "line", "column"


class InvalidBody(InvalidInput):
    """The body is not what the operation takes. `errors`: where and why."""

    code = "invalid_body"

    def __init__(self, errors: Sequence[Finding], message: str | None = None) -> None:
        first = errors[0]
        super().__init__(message or (f"{first['loc']}: {first['msg']}" if first["loc"] else first["msg"]))
        self.errors = list(errors)


def wrong(loc: str, msg: str) -> InvalidBody:
    return InvalidBody([{"loc": loc, "msg": msg}])


def findings(error: OstroError) -> list[Finding]:
    """What an error tells, with line and column if it is about a text."""
    found: list[Finding] | None = getattr(error, "errors", None)
    problems: Sequence[Problem] = error.problems if isinstance(error, DefinitionError) else ()
    if found is None:
        found = [{"loc": "", "msg": problem.message} for problem in problems] or [{"loc": "", "msg": error.message}]
    if len(problems) != len(found):
        return list(found)
    return [one | {"line": at.line, "column": at.column} for one, at in zip(found, problems, strict=True)]


def answered(work: Handler) -> Handler:
    """The handler with this API's form of errors."""

    async def handler(call: Call) -> Answer:
        try:
            return await work(call)
        except Disconnected:
            raise
        except OstroError as error:
            return refusal(error)

    return handler


def refusal(error: OstroError) -> Answer:
    if isinstance(error, DefinitionError | InvalidBody):
        status = HTTPStatus.UNPROCESSABLE_ENTITY.value
        return json_answer({"faultstring": error.message, "errors": findings(error)}, status)
    if status_of(error) >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return answer_error(error, plain=True)
    made = answer_error(error, plain=True)
    return json_answer({"faultstring": error.message, "errors": []}, made.status, made.headers)
