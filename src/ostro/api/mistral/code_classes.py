"""What uploaded Python offers, by reading it: nothing of it is run here."""

import ast
from typing import Any, Final

import msgspec

from ostro.model.errors import InvalidInput
from ostro.ports.code import Signature

_MOST_DEEP: Final = 20  # classes below classes


def parse(content: str) -> ast.Module:
    """Raises InvalidInput, with line and column, for what is not Python."""
    try:
        return ast.parse(content)
    except SyntaxError as error:
        raise InvalidInput(
            f"The code source is not Python: {error.msg} at line {error.lineno}, column {error.offset}"
        ) from None
    except (ValueError, RecursionError, MemoryError) as error:  # NUL characters, too deep
        raise InvalidInput(f"The code source cannot be read: {type(error).__name__}.") from None


def signature_of(content: str, class_name: str) -> Signature:
    """What the constructor of an action class takes. Raises InvalidInput if there is no such class."""
    classes = {node.name: node for node in parse(content).body if isinstance(node, ast.ClassDef)}
    found = classes.get(class_name)
    if found is None:
        raise InvalidInput(f"The code source has no class '{class_name}'.")
    line = _line(found, classes)
    if not any(_method(one, "run") for one in line):
        raise InvalidInput(f"The class '{class_name}' is no action: it has no method 'run'.")
    init = next((method for one in line if (method := _method(one, "__init__"))), None)
    description = ast.get_docstring(found) or ""
    return Signature(description=description) if init is None else _signature(init, class_name, description)


def _line(node: ast.ClassDef, classes: dict[str, ast.ClassDef]) -> list[ast.ClassDef]:
    """The class and those above it in the same source, nearest first."""
    found = [node]
    waiting = list(node.bases)
    while waiting and len(found) < _MOST_DEEP:
        base = waiting.pop(0)
        above = classes.get(base.id) if isinstance(base, ast.Name) else None
        if above is not None and above not in found:
            found.append(above)
            waiting += above.bases
    return found


def _method(node: ast.ClassDef, name: str) -> ast.FunctionDef | None:
    return next((item for item in node.body if isinstance(item, ast.FunctionDef) and item.name == name), None)


def _signature(init: ast.FunctionDef, class_name: str, description: str) -> Signature:
    given = init.args
    if given.posonlyargs:
        raise InvalidInput(f"The constructor of '{class_name}' has parameters that cannot be given by name.")
    plain = given.args[1:]
    defaults: list[ast.expr | None] = [None] * (len(given.args) - len(given.defaults)) + list(given.defaults)
    pairs = [*zip(plain, defaults[1:], strict=True), *zip(given.kwonlyargs, given.kw_defaults, strict=True)]
    names = tuple(parameter.arg for parameter, _ in pairs)
    values = {parameter.arg: _literal(value, parameter.arg) for parameter, value in pairs if value is not None}
    return Signature(names, values, description)


def _literal(node: ast.expr, name: str) -> Any:
    try:
        return msgspec.to_builtins(ast.literal_eval(node))
    except (ValueError, TypeError, RecursionError):
        raise InvalidInput(f"The default of the parameter '{name}' must be a plain value that JSON has.") from None
