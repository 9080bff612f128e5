"""`ostro execution watch` and `start --wait`: what a person is told who stops waiting, or whose server goes away."""

from types import SimpleNamespace
from typing import Any

import pytest

from ostro.cli.commands.execution import _watch
from ostro.cli.output import Output
from ostro.sdk import Unreachable


@pytest.mark.parametrize("form", ["table", "json"])
@pytest.mark.parametrize("end", [KeyboardInterrupt(), Unreachable("gone")], ids=["ctrl-c", "server away"])
def test_the_execution_goes_on_and_it_is_told_how_to_look_again(
    capsys: pytest.CaptureFixture[str], end: BaseException, form: str
) -> None:
    def waits(*_: Any) -> Any:
        raise end

    executions = SimpleNamespace(wait=waits, report=waits)
    server: Any = SimpleNamespace(client=SimpleNamespace(executions=executions, events=waits), out=Output(form))
    begun = SimpleNamespace(id="e1", workflow_name="w", state="RUNNING", created_at=None, state_info=None)
    with pytest.raises(type(end)):
        _watch(server, begun)
    assert "It goes on without you: ostro execution watch e1" in capsys.readouterr().err
