"""What is stored of an upload, and what the API shows of it."""

import pytest
import yaml

from ostro.lang import (
    action_input_summary,
    parse_action_item,
    parse_actions,
    parse_workbook,
    parse_workflow_item,
    parse_workflows,
    workbook_item_texts,
    workflow_input_summary,
    workflow_interface,
    workflow_texts,
)
from ostro.model.errors import DefinitionError

WORKBOOK = """\
version: '2.0'
name: shop
actions:
  # says something
  say:
    input: [what]
    base: std.echo output="<% $.what %>"

workflows:
    main:
      tasks:   # all of them
        a:
          action: say
          input:
            what: |
              two
                lines

    # comes later
    "helper": {tasks: {h: {action: std.noop}}}
tags: [x]
"""


def test_a_single_workflow_keeps_its_text() -> None:
    text = "# hello\nversion: 2.0\nw: {tasks: {t: {action: std.noop}}}\n"
    assert workflow_texts(text) == {"w": text}


def test_several_workflows_get_their_own_documents() -> None:
    text = "version: '2.0'\nb: {tasks: {t: {action: é, input: {x: 1, a: '*x'}}}}\na: {tasks: {t: {action: std.noop}}}\n"
    texts = workflow_texts(text)
    assert list(texts) == ["b", "a"]
    assert texts["b"].startswith("version: '2.0'\nb:\n  tasks:\n    t:\n      action: é\n")
    assert yaml.safe_load(texts["b"])["b"]["tasks"]["t"]["input"] == {"x": 1, "a": "*x"}
    assert [spec.name for spec in parse_workflows(texts["a"])] == ["a"]


def test_workbook_items_are_cut_out_as_written() -> None:
    workflows, actions = workbook_item_texts(WORKBOOK)
    assert actions == {"say": 'say:\n  input: [what]\n  base: std.echo output="<% $.what %>"\n'}
    assert list(workflows) == ["main", "helper"]
    assert (
        workflows["main"]
        == """\
main:
  tasks:   # all of them
    a:
      action: say
      input:
        what: |
          two
            lines
"""
    )
    assert workflows["helper"] == '"helper": {tasks: {h: {action: std.noop}}}\n'


def test_items_in_braces_are_written_anew() -> None:
    text = "version: '2.0'\nname: wb\nactions: {a: {base: x},\n  b: {base: y}}\n"
    workflows, actions = workbook_item_texts(text)
    assert workflows == {}
    assert actions == {"a": "a:\n  base: x\n", "b": "b:\n  base: y\n"}


def test_stored_items_read_as_the_workbook_did() -> None:
    workbook = parse_workbook(WORKBOOK)
    workflows, actions = workbook_item_texts(WORKBOOK)
    main = parse_workflow_item(workflows["main"], "shop.main")
    assert main.name == "shop.main"
    assert main.raw == workbook.workflows["main"].raw
    assert main.raw["name"] == "main"
    say = parse_action_item(actions["say"], "shop.say")
    assert (say.name, say.base, say.base_params) == ("shop.say", "std.echo", {"output": "<% $.what %>"})


def test_items_of_lists_are_found_by_name() -> None:
    text = "version: '2.0'\na: {base: x}\nb: {base: y}\n"
    assert parse_action_item(text, "b").base == "y"
    assert parse_workflow_item("version: 2\nw: {tasks: {t: {action: n}}}", "renamed").name == "renamed"
    with pytest.raises(DefinitionError, match="'c' is not in this definition"):
        parse_action_item(text, "c")


def test_summaries_of_a_workflow() -> None:
    (spec,) = parse_workflows("""
version: '2.0'
w:
  input: [p1, p2: 5, p3: null, p4: {a: 1}, p5: text]
  output: {x: 1, y: 2}
  tasks: {t: {action: n}}
""")
    assert workflow_input_summary(spec) == """p1, p2="5", p3="None", p4="{'a': 1}", p5="text\""""
    inputs = ["p1", {"p2": 5}, {"p3": None}, {"p4": {"a": 1}}, {"p5": "text"}]
    assert workflow_interface(spec) == {"input": inputs, "output": ["x", "y"]}


def test_summaries_without_inputs() -> None:
    (spec,) = parse_workflows("version: 2\nw: {tasks: {t: {action: n}}}")
    assert workflow_input_summary(spec) == ""
    assert workflow_interface(spec) == {"input": [], "output": []}
    (action,) = parse_actions("version: 2\na: {base: x}")
    assert action_input_summary(action) is None


def test_summary_of_an_action() -> None:
    (action,) = parse_actions("version: 2\na: {base: x, input: [p, q: 2, r: {s: [t]}, u: null]}")
    assert action_input_summary(action) == 'p, q=2, r={"s": ["t"]}, u=null'
