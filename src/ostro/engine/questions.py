"""Answers to what the core asks for while it computes: read from the store, beside the loop."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

import structlog

from ostro.core.advance import answer
from ostro.core.state import Tree
from ostro.engine.definitions import Definitions
from ostro.engine.loading import Loader
from ostro.engine.reads import Reads
from ostro.engine.residents import Residents
from ostro.model.errors import OstroError, Unavailable

log = structlog.get_logger("ostro.engine")

_BEFORE_COMMIT: Final = Definitions.kinds | Loader.kinds | {"exists", "source"}


class Questions:
    """An answer goes to the tree that asked, if it is still the one in memory."""

    def __init__(
        self,
        residents: Residents,
        definitions: Definitions,
        loader: Loader,
        reads: Reads,
        spawn: Callable[[Awaitable[None]], None],
    ) -> None:
        self._residents = residents
        self._definitions = definitions
        self._loader = loader
        self._reads = reads
        self._spawn = spawn

    def fetch_early(self, tree: Tree) -> None:
        """Questions about definitions and about what is stored already need not wait for a commit."""
        if tree.needs:
            early = [key for key in tree.needs if key[0] in _BEFORE_COMMIT]
            if early:
                tree.needs = [key for key in tree.needs if key[0] not in _BEFORE_COMMIT]
                for key in early:
                    self.fetch(tree, key)

    def fetch(self, tree: Tree, key: tuple[Any, ...]) -> None:
        if key[0] == "place":
            return  # whoever has the places comes back to it
        self._residents.hold(tree)
        self._spawn(self._answer(tree, key))

    async def _answer(self, tree: Tree, key: tuple[Any, ...]) -> None:
        value: Any
        try:
            if key[0] in Definitions.kinds:
                value = await self._definitions.answer(key)
            elif key[0] == "execution":
                value = await self._loader.execution(tree, key[1])
            elif key[0] == "lone-action":
                value = await self._loader.lone_action(tree, key[1])
            else:
                value = await self._reads.answer(key)
        except OstroError as error:
            value = error
        except Exception as error:
            log.error("a question could not be answered", question=key[0], exc_info=error)
            value = Unavailable("Internal error while reading; see the server's log.")
        finally:
            self._residents.release(tree)
        if self._residents.is_current(tree):
            answer(tree, key, value)
            self._residents.make_ready(tree)
