"""Redirects as urllib3 follows them, and Retry-After."""

import pytest
from yarl import URL

from ostro.http.message import BadURL, Request
from ostro.http.redirects import followed, retry_after_seconds

HEADERS = {"Authorization": "x", "Cookie": "y", "Content-Type": "text/plain", "X-Own": "z"}
POST = Request(method="POST", url=URL("http://a.test/x/y"), headers=HEADERS, body=b"body")


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_the_method_and_the_body_stay(status: int) -> None:
    request, loses_body, is_foreign = followed(POST, status, "../z?q=1")
    assert (request.method, request.body, str(request.url)) == ("POST", b"body", "http://a.test/z?q=1")
    assert (loses_body, is_foreign) == (False, False)
    assert request.headers == HEADERS


def test_303_becomes_a_get_without_a_body() -> None:
    request, loses_body, _ = followed(POST, 303, "/z")
    assert (request.method, request.body, loses_body) == ("GET", None, True)
    assert request.headers == {"Authorization": "x", "Cookie": "y", "X-Own": "z"}


@pytest.mark.parametrize("target", ["http://b.test/", "https://a.test/", "http://a.test:8080/"])
def test_credentials_stay_with_scheme_host_and_port(target: str) -> None:
    request, _, is_foreign = followed(POST, 302, target)
    assert is_foreign
    assert request.headers == {"Content-Type": "text/plain", "X-Own": "z"}


def test_only_http_is_followed() -> None:
    with pytest.raises(BadURL, match="not allowed"):
        followed(POST, 302, "ftp://a.test/")


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("7", 7.0),
        (" 0 ", 0.0),
        ("Sat, 21 Nov 2026 16:00:10 GMT", 10.0),
        ("Sat, 21 Nov 2026 15:00:00 GMT", 0.0),
        ("soon", None),
        ("-1", None),
        ("1.5", None),
    ],
)
def test_retry_after_in_seconds_or_as_a_date(header: str | None, seconds: float | None) -> None:
    assert retry_after_seconds(header, now=1795276800.0) == seconds
