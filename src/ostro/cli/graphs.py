"""A workflow's graph in a terminal: each task with what it does and where it leads."""

from typing import Any

from ostro.cli.server import Server


def print_graph(server: Server, graph: Any) -> None:
    """Tasks in the order of the text. Errors of a text that cannot be read are the exit status 1."""
    if not server.out.is_for_people:
        server.out.one(graph)
    else:
        for node in graph.nodes:
            print(f"{node['name']}{_what(node)}")
            for edge in graph.edges:
                if edge["from"] == node["name"]:
                    condition = f"  if {edge['condition']}" if edge.get("condition") else ""
                    print(f"  {edge['clause']} -> {edge['to']}{condition}")
        for error in graph.errors:
            print(f"{error.get('line', 0)}:{error.get('column', 0)}: error: {error.get('message')}")
    server.status = 1 if graph.errors else 0


def _what(node: Any) -> str:
    parts = [node.get("action") or (f"workflow {node['workflow']}" if node.get("workflow") else "")]
    if node.get("join") is not None:
        parts.append(f"join {node['join']}")
    if node.get("with_items"):
        parts.append(f"with-items {node['with_items']}")
    shown = ", ".join(str(part) for part in parts if part)
    return f": {shown}" if shown else ""
