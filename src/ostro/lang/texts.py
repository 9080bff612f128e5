"""The texts that are stored for the parts of an upload.

Guarantees that a stored text, read again, gives the same item as the upload.
"""

from typing import Any

import yaml
from yaml.cyaml import CSafeDumper

from ostro.lang.reader import Document, read
from ostro.model.errors import DefinitionError


class _Dumper(CSafeDumper):
    """Never writes anchors: the reader would take them for text."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _dump(data: Any) -> str:
    text: str = yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=False)
    return text


def workflow_texts(text: str) -> dict[str, str]:
    """For each workflow of a list: the upload itself if it is the only one, else its own document.

    The upload must be valid (parse_workflows accepts it); else DefinitionError or nonsense.
    """
    data = read(text).data
    names = [name for name in data if name != "version"] if isinstance(data, dict) else []
    if len(names) == 1:
        return {names[0]: text}
    return {name: _dump({"version": data["version"], name: data[name]}) for name in names}


def workbook_item_texts(text: str) -> tuple[dict[str, str], dict[str, str]]:
    """The texts of a valid workbook's (workflows, actions) by their short name.

    As written, comments included, moved to the left margin, without `version`.
    """
    document = read(text)
    data = document.data if isinstance(document.data, dict) else {}
    lines = text.splitlines(keepends=True)
    workflows = _section_texts(document, lines, data.get("workflows"))
    return workflows, _section_texts(document, lines, data.get("actions"))


def _section_texts(document: Document, lines: list[str], section: Any) -> dict[str, str]:
    if not isinstance(section, dict):
        return {}
    return {name: _item_text(document, lines, section, name) for name in section if name != "version"}


def _item_text(document: Document, lines: list[str], section: dict[str, Any], name: str) -> str:
    if not document.is_flow(section):
        text = _cut(document, lines, section, name)
        if _means(text, {name: section[name]}):
            return text
    return _dump({name: section[name]})


def _cut(document: Document, lines: list[str], section: dict[str, Any], name: str) -> str:
    line, column = document.of_key(section, name)
    indent = column - 1
    cut = lines[line - 1 : document.end_line(section, name)]
    while cut and _is_between_items(cut[-1], indent):
        cut.pop()
    moved = [part[indent:] if not part[:indent].strip() else part for part in cut]
    return "".join(part if part.strip() else "\n" for part in moved).rstrip() + "\n"


def _is_between_items(line: str, indent: int) -> bool:
    """A blank line, or a comment that belongs to the item that follows."""
    bare = line.lstrip()
    return not bare or (bare.startswith("#") and len(line) - len(bare) <= indent)


def _means(text: str, data: Any) -> bool:
    try:
        return bool(read(text).data == data)
    except DefinitionError:
        return False
