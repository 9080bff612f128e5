"""What `ostro import` prints, and its exit status."""

import json
from collections import Counter
from collections.abc import Iterable

from ostro.cli.importing import COPIED, FAILED, REPLACED, SAME, SKIPPED, Result


def report(results: Iterable[Result], *, as_json: bool, verbose: bool) -> int:
    """Print each result as it comes, then the sums. 1 if anything failed, else 0."""
    counts: Counter[str] = Counter()
    shown = []
    for result in results:
        counts[result.outcome] += 1
        if as_json:
            shown.append(result._asdict())
        elif verbose or result.outcome != SAME:
            reason = f": {result.reason}" if result.reason else ""
            print(f"{result.outcome:8} {result.kind:13} {result.name}{reason}")
    if as_json:
        print(json.dumps({"results": shown, "counts": counts}, indent=2))
    else:
        print(", ".join(f"{counts[outcome]} {outcome}" for outcome in (COPIED, REPLACED, SAME, SKIPPED, FAILED)))
    return 1 if counts[FAILED] else 0
