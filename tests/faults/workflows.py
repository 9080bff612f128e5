"""The workflows that run while things break, and what each must have come to, whatever broke.

In most of them every action is pure or may be run again, so the outcome is certain. `careful` and `held` call a peer
that must not be called twice: if their executor dies they end by `on-error`, which is right, too.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_CHAIN = "".join(
    f"""
    s{n}:
      action: std.echo output=<% $.n + 1 %>
      publish: {{n: <% task().result %>}}{f"{chr(10)}      on-success: s{n + 1}" if n < 6 else ""}"""
    for n in range(1, 7)
)

TEXT = f"""
version: '2.0'

chain:
  input: [key, peer, n: 0]
  output: {{n: <% $.n %>}}
  tasks:{_CHAIN}

forks:
  input: [key, peer]
  output: {{sum: <% $.a + $.b + $.c %>}}
  tasks:
    first:
      action: std.noop
      on-success: [a, b, c]
    a: {{action: std.echo output=1, publish: {{a: <% task().result %>}}, on-success: joined}}
    b: {{action: std.echo output=2 delay=0.3, publish: {{b: <% task().result %>}}, on-success: joined}}
    c:
      action: std.http
      safe-rerun: true
      input: {{url: "<% $.peer %>/count/<% $.key %>"}}
      publish: {{c: 3}}
      on-success: joined
    joined: {{join: all, action: std.noop}}

items:
  input: [key, peer]
  output: {{got: <% $.got %>}}
  tasks:
    each:
      with-items: i in <% range(5) %>
      concurrency: 2
      action: std.http
      safe-rerun: true
      input: {{url: "<% $.peer %>/count/<% $.key %>.<% $.i %>"}}
      publish: {{got: <% task().result.content.key %>}}

retried:
  input: [key, peer]
  output: {{got: <% $.got %>}}
  tasks:
    flaky:
      action: std.http
      safe-rerun: true
      input: {{url: "<% $.peer %>/flaky/<% $.key %>"}}
      retry: {{count: 30, delay: 1}}
      publish: {{got: <% task().result.content.key %>}}

timers:
  input: [key, peer]
  output: {{slept: yes}}
  tasks:
    nap: {{wait-before: 1, action: std.sleep seconds=1, wait-after: 1, on-success: after}}
    after: {{action: std.noop}}

parent:
  input: [key, peer]
  output: {{n: <% $.n %>, m: <% $.m %>}}
  tasks:
    left:
      workflow: chain key=<% $.key %> peer=<% $.peer %>
      publish: {{n: <% task().result.n %>}}
      on-success: both
    right:
      workflow: chain key=<% $.key %> peer=<% $.peer %> n=10
      publish: {{m: <% task().result.n %>}}
      on-success: both
    both: {{join: all, action: std.noop}}

careful:
  input: [key, peer]
  output: {{how: <% $.how %>}}
  tasks:
    call:
      action: std.http
      input: {{url: "<% $.peer %>/count/<% $.key %>", method: POST}}
      publish: {{how: called}}
      publish-on-error: {{how: unknown}}
      on-error: noted
    noted: {{action: std.noop}}

held:
  input: [key, peer]
  output: {{how: <% $.how %>}}
  tasks:
    call:
      action: std.http
      input: {{url: "<% $.peer %>/hold/<% $.key %>", method: POST, timeout: 100}}
      publish: {{how: called}}
      publish-on-error: {{how: unknown}}
      on-error: noted
    noted: {{action: std.noop}}

triggered:
  input: [key, peer]
  output: {{key: <% $.key %>}}
  tasks:
    t: {{action: std.echo output=<% $.key %>}}

ticked:
  tasks:
    t: {{action: std.noop}}
"""


@dataclass(frozen=True)
class Kind:
    """A workflow and what an execution of it must look like in the end."""

    name: str
    outputs: Callable[[str], list[dict[str, Any]]]  # by key: any of these
    tasks: Counter[str]  # names, of the execution itself
    calls: Callable[[str], list[str]] = lambda _: []  # keys that the peer hears
    once: bool = False  # ... each at most once
    children: int = 0


def _tasks(*names: str) -> Counter[str]:
    return Counter(names)


KINDS = {
    kind.name: kind
    for kind in (
        Kind("chain", lambda _: [{"n": 6}], _tasks(*(f"s{n}" for n in range(1, 7)))),
        Kind("forks", lambda _: [{"sum": 6}], _tasks("first", "a", "b", "c", "joined"), lambda key: [key]),
        Kind(
            "items",
            lambda key: [{"got": [f"{key}.{n}" for n in range(5)]}],
            _tasks("each"),
            lambda key: [f"{key}.{n}" for n in range(5)],
        ),
        Kind("retried", lambda key: [{"got": key}], _tasks("flaky"), lambda key: [key]),
        Kind("timers", lambda _: [{"slept": True}], _tasks("nap", "after")),
        Kind("parent", lambda _: [{"n": 6, "m": 16}], _tasks("left", "right", "both"), children=2),
        Kind(
            "careful",
            lambda _: [{"how": "called"}, {"how": "unknown"}],
            _tasks("call"),
            lambda key: [key],
            once=True,
        ),
        Kind("held", lambda _: [{"how": "called"}, {"how": "unknown"}], _tasks("call"), lambda key: [key], once=True),
        Kind("triggered", lambda key: [{"key": key}], _tasks("t")),
    )
}
# How often each is drawn.
WEIGHTS = {"chain": 4, "forks": 3, "items": 2, "retried": 2, "timers": 1, "parent": 2, "careful": 3}
