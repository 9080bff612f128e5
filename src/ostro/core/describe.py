"""Facts about a compiled graph, for lint, metrics and people."""

from collections.abc import Iterator

from ostro.core.graph import Graph, Node, Template


def templates(graph: Graph) -> Iterator[Template]:
    """Every compiled value of the graph."""
    for template in (graph.output, graph.output_on_error, graph.vars):
        if template is not None:
            yield template
    for node in graph.nodes.values():
        yield from _of_node(node)


def _of_node(node: Node) -> Iterator[Template]:
    yield node.call
    yield from node.publish.values()
    yield from (template for _, template in node.with_items)
    policies = node.policies
    retry = policies.retry
    optional = [node.input, node.keep_result, node.safe_rerun, node.target]
    optional += [policies.pause_before, policies.wait_before, policies.wait_after, policies.timeout, policies.fail_on]
    optional.append(policies.concurrency)
    if retry is not None:
        optional += [retry.count, retry.delay, retry.break_on, retry.continue_on]
    for clause in node.clauses.values():
        optional += [clause.branch, clause.global_vars]
        for link in clause.links:
            optional += [link.guard, link.params]
    yield from (template for template in optional if template is not None)


def fallbacks(graph: Graph) -> list[str]:
    """YAQL parts that the compiler left to the library's evaluator."""
    return [text for template in templates(graph) for text in template.fallbacks]
