"""Reading a list that comes in pages: which page follows, and what all of them hold. Pure: requests are the caller's.

Guarantees: pages, items and bytes never exceed their limits (more of them is an error, never a shorter result), and a
server that leads in a circle is noticed.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec
from yarl import URL

from ostro.model.automation import PageRules

_LINK = re.compile(r"<([^<>]*)>((?:\s*;\s*[^\s=;,]+\s*(?:=\s*(?:\"(?:[^\"\\]|\\.)*\"|[^\s;,]*))?)*)")
_REL = re.compile(r";\s*rel\s*=\s*(?:\"([^\"]*)\"|([^\s;,]+))", re.IGNORECASE)


class PagesFailed(ValueError):
    """The pages cannot be read to their end. The message is for people."""


class Pager:
    """Takes pages one after another. `result` is what they hold."""

    def __init__(self, rules: PageRules) -> None:
        self._rules = rules
        self._seen: set[URL] = set()
        self._items: list[Any] = []
        self._pages: list[Any] = []
        self._bytes = 0
        self._number = rules.start
        self.count = 0  # pages taken

    def first(self, url: URL) -> URL:
        """The URL of the first page: with its number, if pages are numbered."""
        return url.update_query({self._rules.param or "page": self._number}) if self._rules.by == "page" else url

    def take(self, url: URL, headers: Mapping[str, str], content: Any, size: int) -> URL | None:
        """A page that was read from `url`, with lower-case `headers`, parsed `content` and its `size` in bytes. The
        URL of the next page, or None if that was the last one. Raises PagesFailed."""
        rules = self._rules
        self.count += 1
        self._seen.add(url)
        self._bytes += size
        if self._bytes > rules.max_bytes:
            raise PagesFailed(f"The pages hold more than {rules.max_bytes} bytes (max_bytes)")
        items = self._items_of(content)
        if items is None:
            self._pages.append(content)
        else:
            self._items += items
            if len(self._items) > rules.max_items:
                raise PagesFailed(f"The pages hold more than {rules.max_items} items (max_items)")
        following = self._following(url, headers, content, items)
        if following is None:
            return None
        if self.count >= rules.max_pages:
            raise PagesFailed(f"There are more than {rules.max_pages} pages (max_pages)")
        if following in self._seen:
            raise PagesFailed(f"Page {self.count} leads back to a page that was read already")
        return following

    @property
    def result(self) -> list[Any]:
        """The items of all pages; the pages themselves if they are no lists."""
        return self._items if not self._pages else self._pages

    def _items_of(self, content: Any) -> list[Any] | None:
        path = self._rules.items
        value = content if path is None else at(content, path)
        if isinstance(value, list):
            if self._pages:
                raise PagesFailed("Some pages are lists and some are not; say with 'items' where the list is")
            return value
        if path is None and self._rules.by != "page" and not self._items:
            return None
        if path is not None and value is None and self.count > 1:
            return []  # many servers leave an empty list out
        where = f"at '{path}'" if path else "in it; say with 'items' where the list is"
        raise PagesFailed(f"Page {self.count} has no list {where}")

    def _following(self, url: URL, headers: Mapping[str, str], content: Any, items: list[Any] | None) -> URL | None:
        rules = self._rules
        if rules.by == "page":
            if not items:
                return None
            self._number += 1
            return url.update_query({rules.param or "page": self._number})
        if rules.by == "link":
            target = next_link(headers.get("link", ""))
            return None if target is None else _joined(url, target)
        value = at(content, rules.next or "")
        if value is None or value is False or value == "":
            return None
        if not isinstance(value, str | int):
            raise PagesFailed(f"The field '{rules.next}' is neither a text nor a number")
        if rules.param:
            return url.update_query({rules.param: value})
        return _joined(url, str(value))


def rules_of(data: Mapping[str, Any]) -> PageRules:
    """From plain data."""
    return msgspec.convert(data, PageRules)


def at(value: Any, path: str) -> Any:
    """What is at a dotted path (`data.users.0.name`), or None."""
    for part in path.split("."):
        if isinstance(value, Mapping):
            value = value.get(part)
        elif isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return value


def next_link(header: str) -> str | None:
    """The target with the relation `next` in a Link header (RFC 8288)."""
    for target, parameters in _LINK.findall(header):
        found = _REL.search(parameters)
        if found and "next" in (found[1] or found[2]).lower().split():
            return str(target)
    return None


def _joined(url: URL, target: str) -> URL:
    try:
        joined = url.join(URL(target.strip()))
    except ValueError:
        raise PagesFailed("The address of the next page cannot be read") from None
    if joined.scheme not in ("http", "https"):
        raise PagesFailed(f"The address of the next page has the scheme '{joined.scheme}'")
    return joined
