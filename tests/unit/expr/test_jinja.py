"""What Jinja texts may do, and what they may not touch."""

import time
from typing import Any

import pytest

from ostro.expr.jinja import compile_jinja
from ostro.expr.scope import ContextView, Scope
from ostro.model.errors import ExpressionError

DATA: dict[str, Any] = {
    "a": 17, "s": "hello good world", "l": [3, 1, 2, 3], "flag": True, "m": {"k": 1, "items": "own"},
    "d": [{"n": "a", "ok": True}, {"n": "b", "ok": False}], "__env": {"e": 1},
}  # fmt: skip


def evaluate(text: str) -> Any:
    return compile_jinja(text).evaluate(Scope(ContextView((DATA,)), None, time.monotonic))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ _.a / 5 }}", 3.4),
        ("{{ _.a > 1 and not _.a > 100 }}", True),
        ("{{ _['a'] in [17, 18] }}", True),
        ("{{ 1 < _.a < 20 }}", True),
        ("{{ _.nosuch is defined }}", False),
        ("{{ none is none }}", True),
        ("{{ __env.e }}", 1),
        ("{{ (1, 2) }}", [1, 2]),
        ("{{ _.l | sort | unique | list }}", [1, 2, 3]),
        ("{{ _.l | select('odd') }}", [3, 1, 3]),
        ("{{ _.d | map(attribute='n') | join('+') }}", "a+b"),
        ("{{ _.d | groupby('ok') | length }}", 2),
        ("{{ _.d | sum(attribute='ok') }}", 1),
        ("{{ _.m.get('k') }}", 1),
        ("{{ _.m['items'] }}", "own"),
        ("{{ {'k': 1}.items() }}", [["k", 1]]),
        ("{{ _.get('zz', 4) }}", 4),
        ("{{ _ | length }}", 7),
        ("{{ _.s.split(' ')[1] | upper }}", "GOOD"),
        ("{{ '%s has %d' | format('cart', 3) }}", "cart has 3"),
        ("{{ '{:>5}|{}'.format('x', 2) }}", "    x|2"),
        ("{{ 1 if false }}", None),
        ("a{{ 'x' if false }}b", "ab"),
        ("{% for i in _.l %}{{ loop.index }}/{{ loop.length }}={{ i }};{% else %}none{% endfor %}",
         "1/4=3;2/4=1;3/4=2;4/4=3;"),
        ("{% if _.flag %}\n  yes\n{% endif %}", "  yes\n"),
        ("{% macro m(x) %}<{{ x }}>{% endmacro %}{{ m(1) }}{{ m('a') }}", "<1><a>"),
        ("{% set ns = namespace(n=0) %}{% for i in _.l %}{% set ns.n = ns.n + i %}{% endfor %}{{ ns.n }}", "9"),
        ("{% set out = [] %}{% for i in _.l %}{% set _ = out.append(i * 2) %}{% endfor %}{{ out }}", "[6, 2, 4, 6]"),
        ("{% filter upper %}abc{% endfilter %}", "ABC"),
        ("{% block b %}in{% endblock %}", "in"),
        ("{% for i in [1, [2, [3]]] recursive %}{{ loop(i) if i is iterable else i }}{% endfor %}", "123"),
    ],
)  # fmt: skip
def test_jinja(text: str, expected: Any) -> None:
    result = evaluate(text)
    assert result == expected
    assert type(result) is type(expected)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{{ _.nothing.deeper }}", "'dict object' has no attribute 'nothing'"),
        ("{{ nothing }}", "'nothing' is undefined"),
        ("{{ [_.nope] }}", "'dict object' has no attribute 'nope'"),
        ("{{ 1 + 'a' }}", "unsupported operand type(s) for +: 'int' and 'str'"),
        ("{{ _.a | nosuchfilter }}", "No filter named 'nosuchfilter'."),
        ("{{ range(100001) | list }}", "Range too big"),
        ("{% include 'x' %}", "'include' cannot be used here"),
        ("{{ namespace(a=1) }}", "an object of type 'Namespace'"),
    ],
)
def test_errors(text: str, message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        evaluate(text)
    assert message in caught.value.message


@pytest.mark.parametrize(
    "text",
    [
        "{{ ''.__class__ }}", "{{ ''['__class__'] }}", "{{ _.l | attr('__class__') }}",
        "{{ _.d | map(attribute='__class__') | list }}", "{{ '{0.__class__}'.format('x') }}",
        "{{ '{a.__class__}'.format_map({'a': 1}) }}", "{{ cycler.__init__.__globals__ }}", "{{ range.__closure__ }}",
        "{{ (_.l | map('string')).gi_frame }}", "{{ '{0.gi_frame}'.format(_.l | map('string')) }}",
        "{% macro m() %}{% endmacro %}{{ m._func }}", "{% for i in [1] %}{{ loop._iterator }}{% endfor %}",
        "{{ namespace(a=1)['__class__'] }}", "{{ self }}", "{{ [2, 1].sort(key=range) }}", "{{ env.scope }}",
        "{{ env.function.call }}", "{{ _.layers }}", "{{ (_.d | groupby('ok') | first).__class__ }}",
        "{{ ''.format.__self__ }}", "{{ 'x'.encode('idna') }}",
    ],
)  # fmt: skip
def test_nothing_inside_python_can_be_reached(text: str) -> None:
    with pytest.raises(ExpressionError):
        evaluate(text)


@pytest.mark.parametrize(
    "call",
    ["l.append(4)", "l.sort()", "l.clear()", "l.pop()", "m.update({'x': 1})", "m.setdefault('y', 1)", "m.pop('k')",
     "d[0].clear()", "l.extend([1])", "l.reverse()"],
)  # fmt: skip
def test_data_of_the_context_cannot_be_changed(call: str) -> None:
    before = repr(DATA)
    for text in ("{{ _." + call + " }}", "{% set x = _ %}{{ x." + call + " }}"):
        with pytest.raises(ExpressionError, match="is unsafe"):
            evaluate(text)
    assert repr(DATA) == before
