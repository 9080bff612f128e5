"""Definition -> Graph: edges, joins, cycles."""

import json
import random
from typing import Any

import pytest

from ostro.core.compile import compile_workflow
from ostro.core.graph import Graph, Node
from ostro.lang import parse_workflows
from ostro.model.errors import DefinitionError


def _graph(tasks: dict[str, Any], **more: Any) -> Graph:
    for task in tasks.values():
        task.setdefault("action", "std.noop")
    return compile_workflow(parse_workflows(json.dumps({"version": "2.0", "w": {"tasks": tasks, **more}}))[0])


def test_start_tasks_are_those_that_no_clause_leads_to() -> None:
    graph = _graph({"a": {"on-error": ["b"]}, "b": {}, "c": {}})

    assert [node.name for node in graph.starts] == ["a", "c"]


def test_a_workflow_without_a_start_task_is_refused() -> None:
    with pytest.raises(DefinitionError, match="Failed to find start tasks"):
        _graph({"a": {"on-success": ["b"]}, "b": {"on-success": ["a"]}})


def test_defaults_count_as_transitions_but_never_to_the_task_itself() -> None:
    graph = _graph({"a": {}, "z": {}}, **{"task-defaults": {"on-success": ["z"]}})

    assert [node.name for node in graph.starts] == ["a"]
    assert graph.nodes["z"].outbound == []


@pytest.mark.parametrize(("join", "needed"), [("all", 2), ("one", 1), (2, 2), (1, 1)])
def test_a_join_knows_how_many_it_needs(join: Any, needed: int) -> None:
    graph = _graph({"a": {"on-success": ["j"]}, "b": {"on-error": ["j"]}, "j": {"join": join}})

    assert graph.nodes["j"].needed_arrivals == needed
    assert graph.nodes["a"].leads_to_join


def test_join_zero_is_no_join() -> None:
    assert not _graph({"a": {"on-success": ["j"]}, "j": {"join": 0}}).nodes["j"].is_join


def test_a_join_that_can_never_have_enough_is_refused() -> None:
    with pytest.raises(DefinitionError, match="Not enough inbound tasks"):
        _graph({"a": {"on-success": ["j"]}, "j": {"join": 3}})
    with pytest.raises(DefinitionError, match="No inbound tasks"):
        _graph({"a": {}, "j": {"join": "all"}})


def test_an_unknown_requirement_of_a_reverse_workflow_is_refused() -> None:
    with pytest.raises(DefinitionError, match="Task 'x' not found"):
        _graph({"a": {"requires": ["x"]}}, type="reverse")


@pytest.mark.parametrize("seed", range(60))
def test_a_task_is_cyclic_if_and_only_if_it_can_reach_itself(seed: int) -> None:
    rng = random.Random(seed)
    names = [f"t{number}" for number in range(rng.randint(2, 9))]
    tasks = {name: {"on-success": rng.sample(names, rng.randint(1, 2))} if rng.random() < 0.8 else {} for name in names}
    graph = _graph({"first": {"on-success": names[:1]}, **tasks})

    assert {node.name: node.is_cyclic for node in graph.nodes.values()} == {
        node.name: _reaches_itself(node) for node in graph.nodes.values()
    }


def _reaches_itself(start: Node) -> bool:
    seen: set[str] = set()
    todo = list(start.outbound)
    while todo:
        node = todo.pop()
        if node.name not in seen:
            seen.add(node.name)
            todo.extend(node.outbound)
    return start.name in seen
