"""The definitions that the benchmark runs, as texts."""

import json
from typing import Any


def noop(name: str) -> str:
    return f"version: '2.0'\n{name}:\n  tasks:\n    only: {{action: std.noop}}\n"


def chain(name: str, length: int) -> str:
    """`length` echo tasks in a row, each publishing what it got."""
    lines = [f"version: '2.0'\n{name}:\n  input: [x: start]\n  output: {{last: <% $.x %>}}\n  tasks:"]
    for number in range(length):
        lines.append(
            f"    step{number}:\n      action: std.echo output=<% $.x %>\n      publish: {{x: <% task().result %>}}"
        )
        if number + 1 < length:
            lines.append(f"      on-success: step{number + 1}")
    return "\n".join(lines) + "\n"


def fan(name: str, width: int) -> str:
    """One task, `width` branches, a join over all of them."""
    branches = "".join(f"        - branch{number}\n" for number in range(width))
    lines = [f"version: '2.0'\n{name}:\n  tasks:\n    first:\n      action: std.noop\n      on-success:\n{branches}"]
    lines += [
        f"    branch{number}:\n      action: std.echo output={number}\n      on-success: joined\n"
        for number in range(width)
    ]
    lines.append("    joined:\n      join: all\n      action: std.noop\n")
    return "".join(lines)


def items(name: str, _size: int) -> str:
    return (
        f"version: '2.0'\n{name}:\n  input: [items]\n  tasks:\n    each:\n      with-items: i in <% $.items %>\n"
        "      action: std.echo output=<% $.i %>\n      publish: {count: <% task().result.len() %>}\n"
    )


def big_data(name: str) -> str:
    """A large document passed whole through two tasks and read by expressions in three."""
    return f"""version: '2.0'
{name}:
  input: [data]
  output: {{total: <% $.total %>, n: <% $.n %>}}
  tasks:
    pass1:
      action: std.echo output=<% $.data %>
      publish: {{data: <% task().result %>}}
      on-success: count
    count:
      action: std.echo output=<% $.data.rows.where($.value > 50).len() %>
      publish: {{n: <% task().result %>}}
      on-success: sum
    sum:
      action: std.echo output=<% $.data.rows.value.sum() %>
      publish: {{total: <% task().result %>}}
      on-success: pass2
    pass2:
      action: std.echo output=<% $.data %>
      publish: {{data: <% task().result %>}}
      on-success: read
    read:
      action: std.echo output=<% $.data.rows[7].name %>
"""


def document(size: int = 900_000) -> dict[str, Any]:
    """About `size` bytes of JSON."""
    rows: list[dict[str, Any]] = []
    used = 0
    while used < size:
        row = {
            "id": len(rows),
            "name": f"row {len(rows)}",
            "value": len(rows) % 101,
            "text": "some words to carry " * 10,
        }
        rows.append(row)
        used += len(json.dumps(row)) + 2
    return {"rows": rows}
