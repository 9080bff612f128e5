"""What a browser has to load before it shows the first view, and what the built page holds."""

import gzip
import json
import re

import pytest

from ostro.api.page import BUILT, is_built
from tests.ui.browser import needed

LIMIT = 400_000  # bytes, compressed
AIM = 160_000


@pytest.fixture(autouse=True)
def built() -> None:
    if not is_built(BUILT):
        needed("The page was not built (make install).")


def closure(manifest: dict[str, dict[str, object]], name: str) -> set[str]:
    """Files that a chunk needs at once: itself, what it imports, their styles."""
    files: set[str] = set()
    waiting, seen = [name], set()
    while waiting:
        at = waiting.pop()
        if at in seen:
            continue
        seen.add(at)
        entry = manifest[at]
        files |= {str(entry["file"]), *entry.get("css", [])}  # type: ignore[misc]
        waiting += entry.get("imports", [])  # type: ignore[operator]
    return files


@pytest.mark.parametrize("view", ["src/home/HomePage.tsx", "src/executions/ExecutionsPage.tsx"])
def test_the_first_view_is_small(view: str) -> None:
    manifest = json.loads((BUILT / "manifest.json").read_text())
    files = closure(manifest, "index.html") | closure(manifest, view)
    sizes = {name: len(gzip.compress((BUILT / name).read_bytes(), 9)) for name in files}
    total = sum(sizes.values())
    print(f"{view}: {total:,} bytes compressed")
    assert total <= LIMIT
    assert total <= AIM, f"It grew, look why: {sizes}"


def test_every_asset_is_there_compressed() -> None:
    assets = [path for path in (BUILT / "assets").iterdir() if path.suffix in (".js", ".css")]
    for asset in assets:
        packed = asset.with_name(f"{asset.name}.gz")
        if asset.stat().st_size > 512:
            assert gzip.decompress(packed.read_bytes()) == asset.read_bytes(), asset.name


def test_the_notices_name_what_is_in_the_bundle() -> None:
    text = (BUILT / "notices.txt").read_text()
    for name in ("react", "react-dom", "react-router", "@tanstack/query-core", "@xyflow/react", "@codemirror/view"):
        found = re.search(rf"^{re.escape(name)} [\d.]+: (\S+)$", text, re.MULTILINE)
        assert found, name
        assert found[1] == "MIT"
