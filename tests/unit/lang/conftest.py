"""What the tests of the language share: short ways to parse one workflow and to see what is refused."""

from collections.abc import Callable

import pytest

from ostro.lang import parse_actions, parse_workbook, parse_workflows
from ostro.model.definition import WorkflowSpec
from ostro.model.errors import DefinitionError, ExpressionError

PARSERS = {"workflows": parse_workflows, "workbook": parse_workbook, "actions": parse_actions}


@pytest.fixture
def workflow() -> Callable[[str], WorkflowSpec]:
    """Parses the body of one workflow `w`."""

    def parse(body: str) -> WorkflowSpec:
        (spec,) = parse_workflows(f"version: '2.0'\nw:\n{body}")
        return spec

    return parse


@pytest.fixture
def refusal() -> Callable[..., DefinitionError]:
    """The error that a document is refused with. `%%` is what the test's expression check calls bad."""

    def refuse(text: str, kind: str = "workflows") -> DefinitionError:
        with pytest.raises(DefinitionError) as caught:
            PARSERS[kind](text, check_for_percents)
        return caught.value

    return refuse


def check_for_percents(text: str) -> None:
    if "%%" in text:
        raise ExpressionError(f"Parse error: {text}")
