"""The reference page names everything there is."""

from pathlib import Path

import msgspec
import pytest

from ostro.executor import ExecutorSettings, load_registry

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "actions.md").read_text()


@pytest.mark.parametrize("field", [field.name for field in msgspec.structs.fields(ExecutorSettings)])
def test_settings_are_documented(field):
    assert f"`{field}`" in PAGE


@pytest.mark.parametrize(("name", "info"), load_registry(plugins=False).infos.items())
def test_actions_and_their_parameters_are_documented(name, info):
    assert name in PAGE
    for parameter, _ in info.params:
        assert f"`{parameter}`" in PAGE or f"`{parameter}=" in PAGE, parameter
