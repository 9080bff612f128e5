"""An expression can fail, it can never stall: every attack ends in an ExpressionError, soon and in little memory.

What is not stopped here would run for minutes or take gigabytes, so the suite's time limit is the assertion.
"""

import time

import pytest

from ostro.expr.jinja import compile_jinja
from ostro.expr.scope import ContextView, Scope
from ostro.model.errors import ExpressionError

DATA = {"l": [3, 1, 2], "m": {"k": 1}, "d": [{"n": "a"}, {"n": "b"}]}

# Values that share their parts: small in memory, endless when written, compared or hashed.
TWINS = (
    "{% set ns = namespace(s=[1], t=[1]) %}{% for i in range(99) %}"
    "{% set ns.s = [ns.s, ns.s] %}{% set ns.t = [ns.t, ns.t] %}{% endfor %}"
)
TUPLES = "{% set ns = namespace(s=1) %}{% for i in range(99) %}{% set ns.s = (ns.s, ns.s) %}{% endfor %}"

HUGE_TEXTS = r"""
{{ 'x' * 10**9 }}
{{ '%1000000000d'|format(1) }}
{{ '%*d' % (1000000000, 1) }}
{{ '%.1000000000f' % 1 }}
{{ ('%s' * 1000) % (('a' * 1000000,) * 1000) }}
{{ 'x'|center(10**9) }}
{{ 'x'.center(10**9) }}
{{ 'x'.ljust(10**9) }}
{{ 'x'.zfill(10**9) }}
{{ '\t'.expandtabs(10**9) }}
{{ '{:1000000000}'.format(1) }}
{{ '{:{w}}'.format(1, w=1000000000) }}
{{ '{:.1000000000f}'.format(1.0) }}
{{ ('{0}' * 1000).format('a' * 1000000) }}
{{ 'a\n'|indent(10**9) }}
{{ ('a' * 100000).replace('a', 'b' * 100000) }}
{{ ('a' * 100000)|replace('a', 'b' * 100000) }}
{{ ('a' * 100000)|replace('', 'b' * 100000) }}
{{ ('a' * 1000000).join(range(1000)|map('string')) }}
{{ range(1000)|join('a' * 1000000) }}
{{ range(99999)|map('center', 99999)|list }}
{{ range(99999)|tojson(indent=10**9) }}
{% set ns = namespace(s='a') %}{% for i in range(99) %}{% set ns.s = ns.s + ns.s %}{% endfor %}{{ ns.s }}
{% set ns = namespace(s='a') %}{% for i in range(99) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}{{ ns.s }}
{% set x %}{% for i in range(99999) %}{{ 'a' * 9999 }}{% endfor %}{% endset %}{{ x|length }}
"""

HUGE_NUMBERS = """
{{ 10 ** (10 ** 10) }}
{{ 2**1000000 }}
{{ (-7)**(10**8) }}
{{ 1|round(10**9, 'ceil') }}
{{ ('f' * 1000000)|int(base=16) }}
{% set ns = namespace(s=7) %}{% for i in range(99) %}{% set ns.s = ns.s * ns.s %}{% endfor %}{{ ns.s }}
{% set ns = namespace(s=7) %}{% for i in range(99) %}{% set ns.s = ns.s ** 2 %}{% endfor %}{{ ns.s }}
{{ (1).to_bytes(10**9, 'big') }}
"""

HUGE_COLLECTIONS = """
{{ [1] * 10**9 }}
{{ [1]|batch(10**9, 'x')|list }}
{{ [1]|slice(10**9, 'x')|list }}
{{ [[1] * 1000] * 1000000 }}
{{ ([[1] * 9999] * 9999)|sum(start=[])|length }}
{% set l = [1] %}{% for i in l %}{% set _ = l.append(1) %}{% endfor %}{{ l }}
{% set l = [1] %}{% for i in range(9999) %}{% set _ = l.extend(l) %}{% endfor %}{{ l }}
{% set l = [1] %}{% set _ = l.append(l) %}{{ l }}
{% set ns = namespace(s=[1]) %}{% for i in range(99) %}{% set ns.s = ns.s + ns.s %}{% endfor %}{{ ns.s }}
{{ range(10**6) }}
{{ dict.fromkeys(range(99999)) }}
"""

ENDLESS_WORK = r"""
{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}
{% for i in range(99999) %}{% for j in range(99999) if j %}{{ loop.index }}{% endfor %}{% endfor %}
{% macro m(n) %}{{ m(n+1) }}{% endmacro %}{{ m(0) }}
{% macro m(n) %}{% if n %}{{ m(n-1) }}{{ m(n-1) }}{% endif %}{% endmacro %}{{ m(60) }}
{% for i in [[1]] recursive %}{{ loop([i]) }}{% endfor %}
{{ ('a' * 8000000).rfind('b' + 'a' * 4000000) }}
{{ ('a ' * 4000000)|wordwrap(1)|length }}
{{ ('<!--a-->' * 1000000)|striptags }}
{{ ('www.a.a' * 1000000)|urlize }}
{{ ('[' * 100000)|yaml_parse }}
{{ ('- ' * 100000)|yaml_parse }}
{{ ('- 1\n' * 200000)|yaml_parse }}
{{ ('[' * 100000 + ']' * 100000)|json_parse }}
{{ lipsum(n=100000) }}
"""

SHARED_PARTS = [
    TWINS + use
    for use in (
        "{{ ns.s }}", "{{ ns.s|string }}", "{{ ns.s|tojson }}", "{{ ns.s|pprint }}", "{{ 'a' ~ ns.s }}",
        "{{ '%s' % (ns.s,) }}", "{{ '{}'.format(ns.s) }}", "{{ [1, 2]|join(ns.s) }}", "{{ json_dump(ns.s) }}",
        "{{ ns.s|yaml_dump }}", "{{ ns.s == ns.t }}", "{{ ns.s < ns.t }}", "{{ ns.s in [ns.t] }}",
        "{{ [ns.s].index(ns.t) }}", "{{ (ns.s,).count(ns.t) }}", "{{ [ns.s, ns.t]|sort }}",
        "{{ [ns.s, ns.t]|max }}", "{{ [ns.s]|select('eq', ns.t)|list }}", "{{ ns.s is in [ns.t] }}",
        "{% for i in [1, 2] %}{{ loop.changed([ns.s, ns.t][i - 1]) }}{% endfor %}",
    )
] + [
    TUPLES + use
    for use in (
        "{{ {}[ns.s] }}", "{{ {ns.s: 1} }}", "{{ ns.s in {} }}", "{{ {}.get(ns.s) }}", "{{ [ns.s]|unique|list }}",
        "{{ 'x'.startswith(ns.s) }}", "{{ dict([[ns.s, 1]]) }}",
    )
]  # fmt: skip


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line]


ATTACKS = [*lines(HUGE_TEXTS), *lines(HUGE_NUMBERS), *lines(HUGE_COLLECTIONS), *lines(ENDLESS_WORK), *SHARED_PARTS]


@pytest.mark.timeout(20)
@pytest.mark.parametrize("text", ATTACKS)
def test_an_attack_ends_in_an_error(text: str) -> None:
    scope = Scope(ContextView((DATA,)), None, time.monotonic)
    with pytest.raises(ExpressionError, match="Can not evaluate Jinja expression"):
        compile_jinja(text).evaluate(scope)


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "text",
    [
        "{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}",
        "{{ " + "+".join(["1"] * 20000) + " }}",
        "{{ " + "not " * 20000 + "1 }}",
        "{{ " + "[" * 3000 + "]" * 3000 + " }}",
        "{% if 1 %}" * 900 + "{% endif %}" * 900,
        "{% for i in [1] %}" * 30 + "{% endfor %}" * 30,
        "{{ '" + "a" * 200_000 + "' }}",
        "{{ " + "9" * 5000 + " }}",
        "{{ _" + ".a" * 5000 + " }}",
        "{{ _.l" + "[0]" * 5000 + " }}",
        "{{ 1" + "|default(1)" * 5000 + " }}",
    ],
    ids=["parentheses", "sum", "not", "lists", "ifs", "loops", "long", "digits", "names", "indexes", "filters"],
)
def test_a_monstrous_text_is_an_error_and_no_crash(text: str) -> None:
    scope = Scope(ContextView((DATA,)), None, time.monotonic)
    with pytest.raises(ExpressionError):
        compile_jinja(text).evaluate(scope)


def test_the_budget_is_measured_by_the_scopes_clock() -> None:
    ticks = iter(range(10_000))
    scope = Scope({}, None, lambda: next(ticks) * 0.01, budget_ms=50)
    with pytest.raises(ExpressionError, match="time budget of 50 ms"):
        compile_jinja("{% for i in range(99999) %}{% endfor %}").evaluate(scope)


def test_a_clock_that_stands_still_does_not_make_a_loop_endless() -> None:
    scope = Scope({}, None, lambda: 0.0, budget_ms=1)
    with pytest.raises(ExpressionError, match="time budget"):
        compile_jinja("{% for i in range(99999) %}{% for j in range(9) %}{% endfor %}{% endfor %}").evaluate(scope)
