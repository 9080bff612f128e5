"""Pages: which one follows, and what all of them hold."""

from typing import Any

import pytest
from yarl import URL

from ostro.http.pages import Pager, PagesFailed, at, next_link
from ostro.model.automation import PageRules

BASE = URL("https://api.example.com/users?limit=2")


def read(rules: PageRules, pages: list[tuple[dict[str, str], Any]]) -> tuple[list[Any], list[str]]:
    """All items, and the addresses that were asked. Each page is (headers, content)."""
    pager = Pager(rules)
    url: URL | None = pager.first(BASE)
    asked = []
    for headers, content in pages:
        assert url is not None, "a page more than were asked for"
        asked.append(str(url))
        url = pager.take(url, headers, content, 10)
    assert url is None, "a page is missing"
    return pager.result, asked


def test_link_headers():
    link = '<https://api.example.com/users?limit=2&after=2>; rel="next", </users?limit=2>; rel=first'
    result, asked = read(PageRules(by="link"), [({"link": link}, [1, 2]), ({"link": "</users>; rel=prev"}, [3])])
    assert result == [1, 2, 3]
    assert asked == [str(BASE), "https://api.example.com/users?limit=2&after=2"]


def test_a_field_that_holds_the_next_address():
    rules = PageRules(by="next", next="meta.next", items="data")
    pages = [
        ({}, {"data": [1], "meta": {"next": "/users?page=b"}}),
        ({}, {"data": [2], "meta": {"next": "?page=c"}}),
        ({}, {"data": [3], "meta": {"next": None}}),
    ]
    result, asked = read(rules, pages)
    assert result == [1, 2, 3]
    assert asked[1:] == ["https://api.example.com/users?page=b", "https://api.example.com/users?page=c"]


def test_a_field_that_holds_a_cursor():
    rules = PageRules(by="next", next="cursor", param="after", items="users")
    result, asked = read(rules, [({}, {"users": [1], "cursor": "a b"}), ({}, {"cursor": ""})])
    assert result == [1]
    assert asked[1] == "https://api.example.com/users?limit=2&after=a+b"


def test_page_numbers_end_with_an_empty_page():
    result, asked = read(PageRules(by="page", start=0), [({}, [1, 2]), ({}, [3]), ({}, [])])
    assert result == [1, 2, 3]
    assert asked == [f"https://api.example.com/users?limit=2&page={number}" for number in range(3)]


def test_pages_that_are_no_lists_are_collected_as_they_are():
    rules = PageRules(by="next", next="next")
    assert read(rules, [({}, {"a": 1, "next": "/b"}), ({}, {"a": 2})])[0] == [{"a": 1, "next": "/b"}, {"a": 2}]


@pytest.mark.parametrize(
    ("rules", "reason"),
    [
        (PageRules(by="page", max_pages=2), "more than 2 pages"),
        (PageRules(by="page", max_items=3), "more than 3 items"),
        (PageRules(by="page", max_bytes=25), "more than 25 bytes"),
    ],
)
def test_more_than_the_limits_is_an_error_never_a_shorter_result(rules, reason):
    with pytest.raises(PagesFailed, match=reason):
        read(rules, [({}, [1, 2]), ({}, [3]), ({}, [4]), ({}, [])])


def test_limits_that_are_just_reached_are_fine():
    rules = PageRules(by="page", max_pages=2, max_items=2, max_bytes=20)
    assert read(rules, [({}, [1, 2]), ({}, [])])[0] == [1, 2]


@pytest.mark.parametrize(
    ("rules", "pages", "reason"),
    [
        (PageRules(by="next", next="n"), [({}, {"n": "/b"}), ({}, {"n": "/users?limit=2"})], "leads back"),
        (PageRules(by="next", next="n"), [({}, {"n": "ftp://a.example/"})], "scheme 'ftp'"),
        (PageRules(by="next", next="n"), [({}, {"n": {}})], "neither a text nor a number"),
        (PageRules(by="next", next="n", items="x.y"), [({}, {"n": "/b"})], "no list at 'x.y'"),
        (PageRules(by="page"), [({}, {"users": []})], "say with 'items'"),
        (PageRules(by="link"), [({"link": "</b>; rel=next"}, {}), ({}, [1])], "Some pages are lists"),
    ],
)
def test_pages_that_cannot_be_read_to_their_end_are_an_error(rules, pages, reason):
    with pytest.raises(PagesFailed, match=reason):
        read(rules, pages)


def test_dotted_paths():
    value = {"a": [{"b": 1}], "c.d": 2}
    assert at(value, "a.0.b") == 1
    assert [at(value, path) for path in ("a.1.b", "a.b", "a.0.b.c", "c.d", "")] == [None] * 5


@pytest.mark.parametrize(
    ("header", "target"),
    [
        ("", None),
        ("</a>", None),
        ("</a>; rel=next", "/a"),
        ('</a>; title="x, y; rel=next"; rel="last"', None),
        ('</a?x=1,2>; title="n"; REL="prev NEXT", </b>; rel=next', "/a?x=1,2"),
        ("</a>; rel=prev,</b>;rel=next;x", "/b"),
    ],
)
def test_the_next_one_of_a_link_header(header, target):
    assert next_link(header) == target
