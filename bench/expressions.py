"""CPU time of YAQL expressions, compiled by Ostro and evaluated by the yaql library.

    python bench/expressions.py [--rows 5000] [--rounds 7] [--no-library]

Prints a table in Markdown: best of the rounds, CPU time of this process. The library side is set up as
Mistral does it: parse and evaluate, with the context converted at every evaluation.
"""

import argparse
import time
from collections.abc import Callable
from typing import Any

import yaql
from yaql.language import factory, utils

from ostro.expr.scope import ContextView, Scope
from ostro.expr.yaql import compile_yaql
from ostro.expr.yaql.compiled import CompiledYaql

TRIVIAL = ["$.x", "$.x + 1", "$.d.e.f", "$.x > 0 and $.s = 'abc'", "$.s.len()", "$.d.get(e)", "{a => $.x, b => [$.s]}"]
OVER_ROWS = [
    "$.rows.where($.v > 50)",
    "$.rows.where($.v > 50).select($.name)",
    "$.rows.v.sum()",
    "$.rows.select({n => $.name, v => $.v * 2})",
    "$.rows.orderBy($.v).thenByDescending($.name)",
    "$.rows.groupBy($.v, $.name)",
    "$.rows.where($.name.startsWith(x1))",
    "$.rows.where($.name =~ '^x[0-9]+5$').len()",
    "$.rows.toDict($.name, $.v)",
]


def best(work: Callable[[], Any], repeat: int, rounds: int) -> float:
    """Seconds of one call."""
    found = []
    for _ in range(rounds):
        start = time.process_time()
        for _ in range(repeat):
            work()
        found.append((time.process_time() - start) / repeat)
    return min(found)


def library_evaluation(text: str, data: dict[str, Any]) -> Callable[[], Any]:
    engine = factory.YaqlFactory().create(options={"yaql.convertSetsToLists": True})
    root = yaql.create_context()

    def evaluate() -> Any:
        context = root.create_child_context()
        context["$"] = utils.convert_input_data(data)
        return engine(text).evaluate(context=context)

    return evaluate


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--no-library", action="store_true")
    options = parser.parse_args()
    small = {"x": 1, "s": "abc", "d": {"e": {"f": 1}}}
    rows = [{"v": index * 7919 % 100, "name": f"x{index}"} for index in range(options.rows)]
    print("| expression | Ostro | compiling | yaql |\n|---|---|---|---|")
    for texts, data, repeat, unit, factor in (
        (TRIVIAL, small, 5000, "µs", 1e6),
        (OVER_ROWS, {"rows": rows}, 3, "ms", 1e3),
    ):
        scope = Scope(ContextView(({}, data)), None, time.monotonic, 60_000.0)
        for text in texts:
            compiled = compile_yaql(text)
            ours = best(lambda c=compiled, s=scope: c.evaluate(s), repeat, options.rounds) * factor
            making = best(lambda t=text: CompiledYaql(t), 20, 3) * 1e6
            theirs = "-"
            if not options.no_library:
                reference = library_evaluation(text, data)
                theirs = f"{best(reference, max(1, repeat // 50), 2) * factor:.4g} {unit}"
            print(f"| `{text}` | {ours:.3g} {unit} | {making:.0f} µs | {theirs} |")


if __name__ == "__main__":
    main()
