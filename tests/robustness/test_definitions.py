"""Texts that are no workflows, workflows that are no good, and expressions that want too much."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.robustness.conftest import MIB, Watched, bounded

TEXT = {"Content-Type": "text/plain"}
HEAD = "version: '2.0'\n"
NOOP = "  tasks: {t: {action: std.noop}}\n"

POISON = {
    "flow-depth": f"{HEAD}w:\n  tasks: {'[' * 100_000}",
    "block-depth": HEAD + "".join(f"{' ' * n}a:\n" for n in range(2_000)),
    "aliases": f"{HEAD}w:\n  vars:\n    a: &a [x, x, x, x, x, x, x, x, x]\n"
    + "".join(
        f"    {b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefghijk", "bcdefghijkl", strict=True)
    )
    + NOOP,
    "own-alias": f"{HEAD}w: &w\n  vars: {{a: *w }}\n{NOOP}",
    "tag": f"{HEAD}w: !!python/object/apply:os.system ['true']",
    "number": f"{HEAD}w:\n  vars: {{a: {'9' * 20_000}}}\n{NOOP}",
    "nul": f"{HEAD}w\0:\n{NOOP}",
    "brackets": f"{HEAD}w:\n  vars: {{a: <% {'(' * 40_000}1{')' * 40_000} %>}}\n{NOOP}",
    "sum": f"{HEAD}w:\n  vars: {{a: <% {'+'.join('1' * 40_000)} %>}}\n{NOOP}",
    "jinja-brackets": f"{HEAD}w:\n  vars: {{a: '{{{{ {'(' * 40_000}1{')' * 40_000} }}}}'}}\n{NOOP}",
    "jinja-blocks": f"{HEAD}w:\n  vars: {{a: '{'{% if 1 %}' * 5_000}'}}\n{NOOP}",
    "one-line": f"{HEAD}w: {'a' * MIB}",
    "keys": HEAD + "".join(f"w{n}: {n}\n" for n in range(20_000)),
}
WORDS = (
    "version: '2.0'|name: b|w:|  tasks:|    t:|      action: std.noop|      on-success: [t, u]|      join: all|"
    "      with-items: i in <% $.x %>|      retry: {count: -1, delay: 1e99}|  type: reverse|      publish: {a: <% %>}|"
    "\ttabs|- - -|&a *a|? x|!!set {a}|\ufeff|%YAML 1.1|---"
)
GREEDY = (
    "<% range(1000000000).toList() %>",
    "<% range(1000000000).sum() %>",
    "<% 'x' * 1000000000 %>",
    "<% [1] * 1000000000 %>",
    "<% list(range(100000)).select(range(100000)).flatten().len() %>",
    "<% 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!'.matches('^(a+)+$') %>",
    "<% let(x => 2) -> $x * 99999999999999999999999999 %>",
    "<% generate(1, true, $ + 1).toList() %>",
    "<% def(f, f($)) -> f(1) %>",
    "{{ 'x' * 1000000000 }}",
    "{{ range(1000000000) | list }}",
    "{% for a in range(100000) %}{% for b in range(100000) %}x{% endfor %}{% endfor %}",
    "{{ 9 ** 9 ** 9 ** 9 }}",
    "{{ ''.__class__.__mro__ }}",
    "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "{{ '%1000000000d' % 1 }}",
    "{{ 'x'.center(1000000000) }}",
    "{{ ['x' * 1000] * 100000 }}",
    "{{ [[[]]] | tojson }}",
    "<% $.nothing.at.all %>",
)


def upload(watched: Watched, text: bytes, kind: str = "workflows") -> int:
    answer = watched.client.post(f"/v2/{kind}", content=text, headers=TEXT)
    assert answer.status_code in (201, 400, 409, 413), answer.text
    return answer.status_code


@pytest.mark.parametrize("kind", ["workflows", "workbooks", "actions"])
@pytest.mark.parametrize("text", POISON.values(), ids=list(POISON))
def test_a_poisonous_text_is_answered_within_bounds(watched: Watched, text: str, kind: str) -> None:
    before = watched.rss
    upload(watched, text.encode(), kind)
    assert watched.rss - before < 100 * MIB


@pytest.mark.parametrize("kind", ["workflows", "workbooks", "actions"])
def test_any_text_is_answered(watched: Watched, kind: str) -> None:
    words = st.sampled_from(WORDS.split("|"))
    lines = st.lists(words | st.text(max_size=20), max_size=12).map("\n".join)

    @given(lines.map(lambda text: text.encode("utf-8", "surrogatepass")) | st.binary(max_size=100))
    @bounded(60)
    def send(text: bytes) -> None:
        upload(watched, text, kind)

    send()


@pytest.mark.parametrize("expression", GREEDY)
def test_an_expression_that_wants_too_much_only_fails(watched: Watched, expression: str) -> None:
    """It may fail the execution, it may not stop the server, and what it took is given back."""
    name = f"greedy_{abs(hash(expression))}"
    task = f"action: std.echo\n      input:\n        output: >-\n          {expression}\n"
    task += "      publish:\n        v: <% task().result %>\n"
    text = f"{HEAD}{name}:\n  tasks:\n    t:\n      {task}"
    before = watched.rss
    if upload(watched, text.encode()) == 201:
        answer = watched.client.post("/v2/executions", json={"workflow_name": name}, headers={"Prefer": "wait=30"})
        assert answer.status_code == 201, answer.text
        assert answer.json()["state"] in ("SUCCESS", "ERROR"), answer.json()
    assert watched.rss - before < 300 * MIB


def test_a_thousand_uploads_leave_memory_alone(watched: Watched) -> None:
    """The same name over and over: nothing that was replaced may be held for ever."""
    text = f"{HEAD}again:\n  vars: {{a: '{'x' * 20_000}'}}\n{NOOP}"
    for number in range(40):
        watched.client.put("/v2/workflows", content=text.replace("xx", f"{number:02}"), headers=TEXT)
    before = watched.rss
    for number in range(200):
        watched.client.put("/v2/workflows", content=text.replace("xx", f"{number:02}"), headers=TEXT)
    assert watched.rss - before < 60 * MIB
