"""Templates of an automation as Arazzo's runtime expressions, where one exists.

`{{ INPUT.a.b }}` is `$inputs.a#/b`; a field that an earlier step wrote is that step's output. What needs calculating
becomes an input of the Arazzo workflow with a description of what it was: the document stays complete.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

import jinja2
from jinja2 import nodes

from ostro.model.errors import InvalidInput

_PARSER = jinja2.Environment(autoescape=False)  # parses only, renders nothing
_RESPONSE = {"status": "$statusCode", "status_code": "$statusCode", "url": "$url"}
_BODIES = ("json", "content", "body")

Path = tuple[str | int, ...]


class Left:
    """What could not be expressed, each sentence once, in order."""

    def __init__(self) -> None:
        self.sentences: list[str] = []

    def add(self, sentence: str) -> None:
        if sentence not in self.sentences:
            self.sentences.append(sentence)


class Values:
    """Translates values in the order of the steps, and collects the inputs and outputs that this needs."""

    def __init__(self, left: Left) -> None:
        self._left = left
        self.inputs: dict[str, dict[str, Any]] = {}  # name -> JSON schema
        self.outputs: dict[str, dict[str, str]] = {}  # step id -> output name -> runtime expression
        self.written: dict[str, tuple[str, str]] = {}  # state field -> (step id, output name)
        self.step_ids: dict[str, str] = {}  # step name -> id of its (last) step
        self.step = ""  # id of the step that is being translated

    def value(self, value: Any, place: str) -> Any:
        """A JSON value with its templates translated. `place`: where it stands, for names and sentences."""
        if isinstance(value, str):
            return self.text(value, place)
        if isinstance(value, Mapping):
            return {str(key): self.value(inner, f"{place}_{key}") for key, inner in value.items()}
        if isinstance(value, list):
            return [self.value(inner, f"{place}_{index}") for index, inner in enumerate(value)]
        return value

    def text(self, text: str, place: str) -> str:
        """One `$...` for a text that is one expression; else text with `{$...}` inside."""
        parts = pieces(text)
        if len(parts) == 1 and not isinstance(parts[0], str):
            return self.expression(parts[0], text, place)
        done = [part if isinstance(part, str) else self._found(part) for part in parts]
        is_unclear = len(parts) > 1 and any(isinstance(part, str) and set(part) & {"{", "}"} for part in parts)
        if None in done or is_unclear:
            return self._calculated(text, place)
        if len(done) == 1 and str(done[0]).startswith("$"):
            self._left.add(f"Step {self.step}: the text {text} looks like an expression of Arazzo.")
        return "".join(
            str(shown) if isinstance(part, str) else f"{{{shown}}}" for part, shown in zip(parts, done, strict=True)
        )

    def expression(self, node: nodes.Node, text: str, place: str) -> str:
        """The expression of one node; `text` is what a person wrote."""
        return self._found(node) or self._calculated(text, place)

    def _found(self, node: nodes.Node) -> str | None:
        path = path_of(node)
        return None if path is None else self._known(path)

    def _known(self, path: Path) -> str | None:
        root, rest = path[0], path[1:]
        if root == "INPUT" and rest:
            self.inputs.setdefault(str(rest[0]), {})
            return f"$inputs.{rest[0]}{pointer(rest[1:])}"
        if root in ("USER", "SYSTEM_APIS") and rest:
            name = f"{root}_{rest[0]}"
            what = "of the caller" if root == "USER" else "as the operator set it"
            self.inputs.setdefault(name, {"type": "string", "description": f"{root}.{rest[0]} {what}"})
            return f"$inputs.{name}{pointer(rest[1:])}"
        if root == "STEPS" and len(rest) >= 2 and rest[0] in self.step_ids:
            return self._of_step(self.step_ids[str(rest[0])], rest[1:])
        if root == "CURRENT_STEP" and rest[:1] == ("input",):
            name = f"item_of_{self.step}"
            self.inputs.setdefault(name, {"description": "One item of the fan-out"})
            return f"$inputs.{name}{pointer(rest[1:])}"
        if root in self.written:
            step, output = self.written[str(root)]
            return f"$steps.{step}.outputs.{output}{pointer(rest)}"
        return None

    def _of_step(self, step: str, rest: Path) -> str | None:
        if rest[0] == "result":
            self.outputs[step].setdefault("result", "$response.body")
            return f"$steps.{step}.outputs.result{pointer(rest[1:])}"
        expression = response_expression(rest[1:]) if rest[0] == "response" and len(rest) > 1 else None
        if expression is None:
            return None
        name = "_".join(re.sub(r"[^\w.-]", "_", str(part), flags=re.ASCII) for part in rest[1:])
        self.outputs[step].setdefault(name, expression)
        return f"$steps.{step}.outputs.{name}"

    def _calculated(self, text: str, place: str) -> str:
        name = re.sub(r"\W+", "_", f"{self.step}_{place}", flags=re.ASCII).strip("_")
        self.inputs[name] = {"description": f"Calculated by Ostro: {text}"}
        self._left.add(f"Step {self.step}: {text} is calculated; it became the input {name}.")
        return f"$inputs.{name}"


def pieces(text: str) -> list[str | nodes.Node]:
    """Literal texts and expressions of a template; a template with statements is one expression."""
    if "{{" not in text and "{%" not in text and "{#" not in text:
        return [text]
    try:
        tree = _PARSER.parse(text)
    except jinja2.TemplateSyntaxError as error:
        raise InvalidInput(f"The template {text} is wrong: {error.message}") from None
    if any(not isinstance(node, nodes.Output) for node in tree.body):
        return [tree]
    found: list[str | nodes.Node] = []
    for node in (inner for output in tree.body if isinstance(output, nodes.Output) for inner in output.nodes):
        literal = _literal(node)
        if literal is None:
            found.append(node)
        elif found and isinstance(found[-1], str):
            found[-1] += literal
        else:
            found.append(literal)
    return found or [""]


def _literal(node: nodes.Node) -> str | None:
    if isinstance(node, nodes.TemplateData):
        return node.data
    if isinstance(node, nodes.Const) and isinstance(node.value, str):
        return node.value
    return None


def path_of(node: nodes.Node) -> Path | None:
    """`a.b['c'][0]` as ("a", "b", "c", 0); None for anything else."""
    parts: list[str | int] = []
    while True:
        if isinstance(node, nodes.Name):
            return (node.name, *reversed(parts))
        if isinstance(node, nodes.Getattr):
            parts.append(node.attr)
        elif isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
            if not isinstance(node.arg.value, str | int):
                return None
            parts.append(node.arg.value)
        else:
            return None
        node = node.node


def pointer(path: Path) -> str:
    """`#/a/0`, or nothing."""
    if not path:
        return ""
    return "#/" + "/".join(str(part).replace("~", "~0").replace("/", "~1") for part in path)


def response_expression(path: Path) -> str | None:
    """What `CURRENT_STEP.response.<path>` is in the step's own outputs."""
    head, rest = path[0], path[1:]
    if head in _BODIES:
        return f"$response.body{pointer(rest)}"
    if head == "headers" and len(rest) == 1:
        return f"$response.header.{rest[0]}"
    return _RESPONSE.get(str(head)) if not rest else None


def map_outputs(text: str, tell: Callable[[str], None]) -> dict[str, str]:
    """Outputs of a step for an `output` that is a template: those entries of its map that are parts of the
    response. `tell` gets a sentence for each other."""
    [piece, *more] = pieces(text)
    if more or not isinstance(piece, nodes.Dict):
        tell(f"the output {text} is calculated")
        return {}
    outputs = {}
    for pair in piece.items:
        name = _literal(pair.key)
        path = path_of(pair.value)
        expression = None
        if path and path[:2] == ("CURRENT_STEP", "response") and len(path) > 2:
            expression = response_expression(path[2:])
        elif path and path[:2] == ("CURRENT_STEP", "result"):
            expression = f"$response.body{pointer(path[2:])}"
        if name is not None and expression is not None:
            outputs[name] = expression
        else:
            tell(f"the output {name or text} is calculated")
    return outputs
