"""From Jinja's syntax tree to Python code whose every operation goes through an `Evaluation`.

Guarantees that nothing is computed while compiling, that loops are counted, and that a single
expression becomes a function that returns its value instead of a text.
"""

from collections.abc import Callable
from io import StringIO
from typing import Any, Final

from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame, operators
from jinja2.exceptions import TemplateAssertionError
from jinja2.nodes import EvalContext

from ostro.expr.jinja_access import MAP_METHODS, TEMPLATE_NODES, ExpressionEnvironment, LocalDict, LocalList

COUNTED: Final = "#counted"  # the name of the filter around whatever a loop goes through

Code = Callable[[Any], Any]  # of an Evaluation


def generate(environment: ExpressionEnvironment, tree: nodes.Template, *, is_expression: bool) -> Code:
    """The function of a template (a generator of texts) or of its only expression (gives the value)."""
    for found in tree.find_all(TEMPLATE_NODES):
        raise TemplateAssertionError(f"'{type(found).__name__.lower()}' cannot be used here", found.lineno)
    for loop in tree.find_all(nodes.For):
        loop.iter = nodes.Filter(loop.iter, COUNTED, [], [], None, None)
    source = StringIO()
    coder = _Coder(environment, None, None, stream=source, optimized=False)
    coder.returns_value = is_expression
    coder.root_is_variable = any(name.name == "_" and name.ctx != "load" for name in tree.find_all(nodes.Name))
    coder.visit(tree)
    namespace: dict[str, Any] = {"environment": environment, "LocalList": LocalList, "LocalDict": LocalDict}
    exec(compile(source.getvalue(), "<jinja>", "exec"), namespace)
    return namespace["root"]  # type: ignore[no-any-return]


def _call(name: str) -> Any:
    def visit(self: "_Coder", node: nodes.BinExpr, frame: Frame) -> None:
        self.write(f"context.{name}(")
        self.visit(node.left, frame)
        self.write(", ")
        self.visit(node.right, frame)
        self.write(")")

    return visit


def _infix(operator: str) -> Any:
    def visit(self: "_Coder", node: nodes.BinExpr, frame: Frame) -> None:
        self.write("(")
        self.visit(node.left, frame)
        self.write(f" {operator} ")
        self.visit(node.right, frame)
        self.write(")")

    return visit


class _Coder(CodeGenerator):
    returns_value = False  # the template is one expression
    root_is_variable = False  # `_` is assigned somewhere

    visit_Add = _call("add")
    visit_Mul = _call("mul")
    visit_Pow = _call("pow")
    visit_Mod = _call("mod")
    visit_Sub = _infix("-")
    visit_Div = _infix("/")
    visit_FloorDiv = _infix("//")
    visit_And = _infix("and")
    visit_Or = _infix("or")

    def visit_Template(self, node: nodes.Template, frame: Frame | None = None) -> None:
        self.writeline(
            "from jinja2.runtime import Macro, LoopContext, Markup, Namespace, TemplateRuntimeError, Undefined"
        )
        self.writeline("from jinja2.runtime import identity, internalcode, missing")
        self.writeline("def root(context):", extra=1)
        self.indent()
        self.writeline("resolve = context.resolve_or_missing")
        self.writeline("undefined = environment.undefined")
        self.writeline("concat = ''.join")
        self.writeline("cond_expr_undefined = Undefined")
        if not self.returns_value:
            self.writeline("if 0: yield None")
        root = Frame(EvalContext(self.environment, self.name))
        root.symbols.analyze_node(node)
        root.toplevel = root.rootlevel = True
        self.enter_frame(root)
        self.pull_dependencies(node.body)
        self.blockvisit(node.body, root)
        self.leave_frame(root, with_python_scope=True)
        self.outdent()

    def visit_Block(self, node: nodes.Block, frame: Frame) -> None:
        """Nobody can override a block here: its body is put in its place."""
        self.visit_Scope(nodes.Scope(node.body), frame)

    def visit_Output(self, node: nodes.Output, frame: Frame) -> None:
        if self.returns_value:
            self.writeline("return ", node)
            self.visit(node.nodes[0], frame)
            return
        for child in node.nodes:
            if frame.buffer is None:
                self.writeline("yield context.text(", child)
            else:
                self.writeline(f"{frame.buffer}.append(context.text(", child)
            self.visit(child, frame)
            self.write(")" if frame.buffer is None else "))")

    def visit_Const(self, node: nodes.Const, frame: Frame) -> None:
        self.write(f"float({str(node.value)!r})" if isinstance(node.value, float) else repr(node.value))

    def visit_List(self, node: nodes.List, frame: Frame) -> None:
        self.write("LocalList((")
        for item in node.items:
            self.visit(item, frame)
            self.write(", ")
        self.write("))")

    def visit_Dict(self, node: nodes.Dict, frame: Frame) -> None:
        self.write("LocalDict({")
        for pair in node.items:
            self._visit_seen(pair.key, frame)  # it will be hashed
            self.write(": ")
            self.visit(pair.value, frame)
            self.write(", ")
        self.write("})")

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:
        self.write("context.concat((")
        for child in node.nodes:
            self.visit(child, frame)
            self.write(", ")
        self.write("))")

    def visit_Compare(self, node: nodes.Compare, frame: Frame) -> None:
        first = node.ops[0]
        if len(node.ops) == 1 and first.op in ("in", "notin"):
            self.write("(not context.has(" if first.op == "notin" else "(context.has(")
            self.visit(node.expr, frame)
            self.write(", ")
            self.visit(first.expr, frame)
            self.write("))")
            return
        self.write("(")
        self._visit_seen(node.expr, frame)
        for operand in node.ops:
            self.write(f" {operators[operand.op]} ")
            self._visit_seen(operand.expr, frame)
        self.write(")")

    def _visit_seen(self, node: nodes.Expr, frame: Frame) -> None:
        if isinstance(node, nodes.Const):
            self.visit(node, frame)
            return
        self.write("context.seen(")
        self.visit(node, frame)
        self.write(")")

    def visit_Getattr(self, node: nodes.Getattr, frame: Frame) -> None:
        if self.is_root(node.node) and node.attr not in MAP_METHODS:
            self.write(f"context.read({node.attr!r})")
            return
        self.write("environment.getattr(")
        self.visit(node.node, frame)
        self.write(f", {node.attr!r})")

    def visit_Getitem(self, node: nodes.Getitem, frame: Frame) -> None:
        part = node.arg
        if isinstance(part, nodes.Slice):
            self.write("context.cut(")
            self.visit(node.node, frame)
            for bound in (part.start, part.stop, part.step):
                self.write(", ")
                if bound is None:
                    self.write("None")
                else:
                    self.visit(bound, frame)
            self.write(")")
            return
        key = part.value if isinstance(part, nodes.Const) else None
        if self.is_root(node.node) and isinstance(key, str) and key not in MAP_METHODS:
            self.write(f"context.read({key!r})")
            return
        self.write("environment.getitem(" if isinstance(part, nodes.Const) else "context.item(")
        self.visit(node.node, frame)
        self.write(", ")
        self.visit(part, frame)
        self.write(")")

    def is_root(self, node: nodes.Node) -> bool:
        """True for `_`, unless the template gives it another meaning."""
        return isinstance(node, nodes.Name) and node.name == "_" and not self.root_is_variable

    def visit_Call(self, node: nodes.Call, frame: Frame, forward_caller: bool = False) -> None:
        self.write("context.invoke(")
        self.visit(node.node, frame)
        self.signature(node, frame, {"caller": "caller"} if forward_caller else None)
        self.write(")")
