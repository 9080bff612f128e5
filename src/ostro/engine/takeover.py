"""Taking up what is unfinished in the shards that this process gets: all at a start, some when others die or join."""

import asyncio

import structlog

from ostro.core.handed import Handed
from ostro.core.state import Tree
from ostro.engine.loading import Loader, Turn
from ostro.engine.residents import Residents
from ostro.model.errors import OstroError
from ostro.model.ids import SHARDS
from ostro.ports.store import EngineStore

log = structlog.get_logger("ostro.engine")

_RETRY = 1.0  # seconds
_PAGE = 200
_PAGE_TO_SIFT = 2000  # of everybody's roots, when only some shards are wanted


class Takeover:
    """Loads every unfinished tree of some shards, a page at a time, and lets it go on.

    The list of unfinished roots is an index that holds nothing else, and a root's shard is computed from its id; so
    all of it is read and sifted (about 1 us a row), which is little beside loading the trees (about 1 ms each) and
    keeps the shard out of every row and index that is written.
    """

    def __init__(self, store: EngineStore, loader: Loader, residents: Residents) -> None:
        self._store = store
        self._loader = loader
        self._residents = residents
        self.is_stopping = False

    async def run(self, turn: Turn) -> None:
        """Until all are loaded, or none of the shards is wanted any more."""
        after = ""
        limit = _PAGE if len(turn.shards) == SHARDS else _PAGE_TO_SIFT
        while self._is_wanted(turn):
            try:
                page = await self._store.unfinished_roots(after, limit)
            except OstroError as error:
                log.warning("cannot read what is unfinished, trying again", error=error.message)
                await asyncio.sleep(_RETRY)
                continue
            for root_id in page:
                # Asked again for each: shards may be lost meanwhile.
                if self._is_wanted(turn) and turn.wants(root_id):
                    await self._look_at(root_id, turn)
            if len(page) < limit:
                break
            after = page[-1]
        self._loader.over(turn)

    async def _look_at(self, root_id: str, turn: Turn) -> None:
        tree = self._residents.get(root_id)
        if not turn.seems_ours(root_id):
            await self.take_up(tree or self._residents.make(root_id), turn.handed)
        elif tree is None:  # its row tells when it was stored
            await self.take_up(self._residents.make(root_id), Handed.KEPT)

    def _is_wanted(self, turn: Turn) -> bool:
        return bool(turn.shards) and not self.is_stopping

    async def take_up(self, tree: Tree, handed: Handed) -> None:
        """Load one tree and let it go on."""
        self._residents.hold(tree)
        try:
            await self._loader.whole_tree(tree, handed)
        except OstroError as error:
            log.error("cannot take up an execution", execution_id=tree.root_id, error=error.message)
        except Exception as error:  # one tree that cannot be read must not keep the others from going on
            log.error("cannot take up an execution", execution_id=tree.root_id, exc_info=error)
        finally:
            self._residents.release(tree)
        self._residents.make_ready(tree)
