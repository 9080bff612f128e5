"""Two pages for people: what this server is, and the reference of its API. No scripts, nothing loaded."""

from collections import defaultdict
from html import escape
from typing import Any

_STYLE = """
:root { color-scheme: light dark; --ink: #1c2430; --soft: #5b6675; --line: #dfe4ea; --paper: #fbfcfd; --card: #fff;
  --accent: #0b6e6e; --get: #0b6e6e; --post: #3a5fb8; --put: #8a5a00; --delete: #b3333a; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e9ef; --soft: #98a4b3; --line: #2c3540; --paper: #12171d;
  --card: #192028; --accent: #4fc3bd; --get: #4fc3bd; --post: #8ba9f0; --put: #e0ae55; --delete: #ee8a8f; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, sans-serif; }
main { max-width: 54rem; margin: 0 auto; padding: 3.5rem 1.25rem 5rem; }
h1 { font-size: 2.1rem; letter-spacing: -.02em; margin: 0; } h2 { margin: 2.75rem 0 .75rem; font-size: 1.2rem; }
p { margin: .5rem 0; } .soft { color: var(--soft); } a { color: var(--accent); }
code, pre { font: .875em/1.6 ui-monospace, monospace; }
pre { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: 1rem; overflow-x: auto; }
.cards { display: grid; gap: .9rem; grid-template-columns: repeat(auto-fit, minmax(14rem, 1fr)); margin: 2rem 0; }
.cards a { display: block; background: var(--card); border: 1px solid var(--line); border-radius: .6rem;
  padding: 1rem 1.1rem; text-decoration: none; color: var(--ink); }
.cards a:hover, .cards a:focus-visible { border-color: var(--accent); }
.cards strong { color: var(--accent); display: block; }
details { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; margin: .45rem 0; }
summary { cursor: pointer; padding: .55rem .9rem; display: flex; gap: .8rem; flex-wrap: wrap; align-items: baseline; }
.m { font: 700 .75rem ui-monospace, monospace; width: 3.6rem; } .m.get { color: var(--get); }
.m.post { color: var(--post); } .m.put { color: var(--put); } .m.delete { color: var(--delete); }
summary code { font-weight: 600; } summary .soft { margin-left: auto; }
.body { padding: .2rem .9rem 1rem; border-top: 1px solid var(--line); }
table { border-collapse: collapse; width: 100%; }
td { border-top: 1px solid var(--line); padding: .35rem .6rem .35rem 0; vertical-align: top; }
td:first-child { white-space: nowrap; } h3 { font-size: .85rem; margin: 1.1rem 0 .3rem; color: var(--soft); }
nav a { margin-right: 1rem; }
"""

_LANDING = """
<h1>Ostro</h1>
<p class="soft">Workflow automation. This server is running, version {version}.</p>
<div class="cards">
<a href="/docs"><strong>API reference</strong>Every path of the v2 API, as a page.</a>
<a href="/openapi.json"><strong>OpenAPI</strong>The same for generators and tools.</a>
<a href="/v2/workflows"><strong>Workflows</strong>The definitions on this server, as JSON.</a>
<a href="/v2/executions?sort_dirs=desc&amp;limit=20"><strong>Executions</strong>The latest twenty, as JSON.</a>
<a href="/healthcheck"><strong>Health</strong>Whether all is well.</a>
<a href="/metrics"><strong>Metrics</strong>For Prometheus.</a>
</div>
<h2>Run something</h2>
<pre>cat &gt; hello.yaml &lt;&lt;'END'
version: '2.0'
hello:
  input: [who: world]
  output: {{greeting: &lt;% $.greeting %&gt;}}
  tasks:
    greet:
      action: std.echo output="Hello, &lt;% $.who %&gt;!"
      publish: {{greeting: &lt;% task().result %&gt;}}
END
curl --data-binary @hello.yaml -H 'Content-Type: text/plain' {base}/v2/workflows
curl --json '{{"workflow_name": "hello"}}' -H 'Prefer: wait=5' {base}/v2/executions</pre>
<p class="soft">Any Mistral client works too: <code>OS_MISTRAL_URL={base}/v2</code>.</p>
"""


def landing(version: str, base: str) -> bytes:
    """What the root shows to a browser."""
    return _page("Ostro", _LANDING.format(version=escape(version), base=escape(base)))


def reference(document: dict[str, Any]) -> bytes:
    """The OpenAPI document, readable."""
    groups: dict[str, list[str]] = defaultdict(list)
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            tag = (operation.get("tags") or ["Other"])[0]
            groups[tag].append(_operation(method, path, operation, document))
    links = "".join(f'<a href="#{_anchor(tag)}">{escape(tag)}</a>' for tag in groups)
    parts = [
        f"<h1>{escape(document['info']['title'])} API</h1>",
        f'<p class="soft">{escape(document["info"].get("description", ""))}</p>',
        f'<nav><a href="/">Start</a><a href="/openapi.json">openapi.json</a>{links}</nav>',
    ]
    for tag, shown in groups.items():
        parts.append(f'<h2 id="{_anchor(tag)}">{escape(tag)}</h2>{"".join(shown)}')
    return _page("Ostro API", "".join(parts))


def _operation(method: str, path: str, operation: dict[str, Any], document: dict[str, Any]) -> str:
    parts = [f"<p>{escape(operation['description'])}</p>" if "description" in operation else ""]
    rows = [
        (p["name"], f"{p['in']}, {p['schema'].get('type', 'string')}. {p.get('description', '')}")
        for p in operation.get("parameters", ())
    ]
    parts.append(_table("Parameters", rows))
    if "requestBody" in operation:
        parts.append(_content("Body", operation["requestBody"]["content"], document))
    responses = operation.get("responses", {})
    parts.append(_table("Answers", [(status, found["description"]) for status, found in responses.items()]))
    for status, found in responses.items():
        if status.startswith("2") and "content" in found:
            parts.append(_content("Resource", found["content"], document))
    return (
        f'<details><summary><span class="m {escape(method)}">{escape(method.upper())}</span>'
        f'<code>{escape(path)}</code><span class="soft">{escape(operation.get("summary", ""))}</span></summary>'
        f'<div class="body">{"".join(parts)}</div></details>'
    )


def _content(title: str, content: dict[str, Any], document: dict[str, Any]) -> str:
    media_type, described = next(iter(content.items()))
    schema = described.get("schema", {})
    items = schema.get("additionalProperties")
    if isinstance(items, dict):
        title, schema = f"{title} (each row)", items.get("items", {})
    name = schema.get("$ref", "").rpartition("/")[2]
    properties = document.get("components", {}).get("schemas", {}).get(name, schema).get("properties", {})
    rows = [(field, f"{_type(shape)} {shape.get('description', '')}") for field, shape in properties.items()]
    return _table(f"{title}: {media_type}", rows or [("", "text" if media_type.startswith("text") else "an object")])


def _type(shape: dict[str, Any]) -> str:
    if "enum" in shape:
        return " | ".join(shape["enum"]) + "."
    kind = shape.get("type", "any")
    names = [kind] if isinstance(kind, str) else [name for name in kind if name != "null"]
    return " or ".join(names) + "."


def _table(title: str, rows: list[tuple[str, str]]) -> str:
    if not rows:
        return ""
    shown = "".join(f"<tr><td><code>{escape(a)}</code></td><td>{escape(b)}</td></tr>" for a, b in rows)
    return f"<h3>{escape(title)}</h3><table>{shown}</table>"


def _anchor(tag: str) -> str:
    return escape(tag.lower().replace(" ", "-"))


def _page(title: str, body: str) -> bytes:
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>'
        f"<body><main>{body}</main></body></html>"
    ).encode()
