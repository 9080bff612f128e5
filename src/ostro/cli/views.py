"""How an execution is shown: a live tree, or plain lines."""

import json
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TextIO

from ostro.cli.nodes import Node, Tree
from ostro.model.states import CANCELLED, COMPLETED, DELAYED, ERROR, PAUSED, RUNNING, SKIPPED, SUCCESS, WAITING

_MARKS = {SUCCESS: "✔", ERROR: "✘", CANCELLED: "■", SKIPPED: "↷", PAUSED: "‖", DELAYED: "◷", WAITING: "◌"}
_STYLES = {SUCCESS: "green", ERROR: "bold red", CANCELLED: "yellow", SKIPPED: "cyan", PAUSED: "yellow"}
_MOST_ROWS = 300  # of a tree; a taller one is no picture any more


class View(Protocol):
    def show(self, tree: Tree, changed: Sequence[Node]) -> None:
        """Called after every look, also when nothing changed."""
        ...

    def end(self, tree: Tree, output: Any) -> None:
        """Called once: the outcome. `output` None: there is none."""
        ...


class Plain:
    """One line per change of state; the output at the end. For logs and pipes."""

    def __init__(self, stream: TextIO = sys.stdout) -> None:
        self._stream = stream
        self._at = 0.0  # seconds; a server's times may be whole ones, and lines never go back in time

    def show(self, tree: Tree, changed: Sequence[Node]) -> None:
        begun = tree.root.begun
        for node in changed:
            kind = "workflow" if node.is_workflow else "task"
            note = f"  {first_line(node.state_info)}" if node.state_info else ""
            self._at = max(self._at, node.changed - begun)
            self._print(f"{self._at:8.3f}  {node.state:9} {kind:8} {node.name}{note}")

    def end(self, tree: Tree, output: Any) -> None:
        root = tree.root
        if root.state == ERROR and root.state_info:
            self._print(root.state_info)
        if output is not None and not _repeats(root, output):
            self._print(json.dumps(output, indent=2, ensure_ascii=False))

    def _print(self, text: str) -> None:
        print(text, file=self._stream, flush=True)


class LiveTree:
    """A tree in the terminal that is redrawn in place; by itself, so that its clocks go on, if `ticking` is given: the
    tree to draw then, which must bear to be read from another thread."""

    def __init__(self, console: Any = None, *, ticking: Callable[[], Tree] | None = None) -> None:
        from rich.console import Console
        from rich.live import Live

        self._console = console or Console()
        self._live = Live(
            console=self._console,
            auto_refresh=ticking is not None,
            refresh_per_second=4,
            get_renderable=None if ticking is None else lambda: self.tree(ticking()),
            vertical_overflow="ellipsis",
        )
        self._live.start()

    def show(self, tree: Tree, changed: Sequence[Node]) -> None:
        if not self._live.auto_refresh:
            self._live.update(self.tree(tree), refresh=True)

    def end(self, tree: Tree, output: Any) -> None:
        self._live.vertical_overflow = "visible"
        self._live.update(self.tree(tree), refresh=True)
        self._live.stop()
        if not self._console.is_terminal:
            self._console.print()  # a terminal's cursor is below the tree already
        root = tree.root
        if root.state == ERROR and root.state_info:
            self._console.print(root.state_info, style="red", markup=False, highlight=False)
        if output is not None and not _repeats(root, output):
            self._console.print_json(json.dumps(output), ensure_ascii=False)

    def tree(self, tree: Tree) -> Any:
        return picture(tree)


def _repeats(root: Node, output: Any) -> bool:
    """Whether an output only says again why it failed."""
    return root.state == ERROR and output == {"result": root.state_info}


def picture(tree: Tree) -> Any:
    """The tree as rich draws it."""
    from rich.tree import Tree as Picture

    drawn = Picture(_label(tree.root), guide_style="dim")
    left = _MOST_ROWS

    def grow(branch: Any, node: Node) -> None:
        nonlocal left
        for inner in tree.below(node):
            left -= 1
            if left < 0:
                if left == -1:
                    branch.add("… and more", style="dim")
                return
            grow(branch.add(_label(inner)), inner)

    grow(drawn, tree.root)
    return drawn


def _label(node: Node) -> Any:
    from rich.text import Text

    style = _STYLES.get(node.state, "blue" if node.state == RUNNING else "dim")
    label = Text.assemble(
        (_MARKS.get(node.state, "▶") + " ", style),
        (node.name, "bold" if node.is_workflow else ""),
        ("  ", ""),
        (node.state, style),
        ("  ", ""),
        (f"{max(0.0, (node.ended or time.time()) - node.begun):.2f} s", "dim"),
    )
    if node.note:
        label.append(f"  {node.note}", "dim")
    if node.state_info and node.state in COMPLETED and not node.is_workflow:
        label.append("  " + first_line(node.state_info), "dim")
    return label


def first_line(text: str, most: int = 100) -> str:
    line = text.split("\n", 1)[0]
    return line if len(line) <= most else line[: most - 1] + "…"
