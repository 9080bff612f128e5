"""URLs, headers and redirects as plain values."""

import pytest

from ostro.http.message import BadURL, Request, basic_auth, header_texts, parse_url, redirected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("/relative", "URL scheme '' is not allowed (only http and https are)."),
        ("ftp://host/x", "URL scheme 'ftp' is not allowed (only http and https are)."),
        ("file:///etc/passwd", "URL scheme 'file' is not allowed (only http and https are)."),
        ("http://", "URL has no host."),
    ],
)
def test_urls_that_cannot_be_used(text, message):
    with pytest.raises(BadURL) as caught:
        parse_url(text)
    assert str(caught.value) == message


@pytest.mark.parametrize("text", ["http://[::1", "http://host:port/", 5, None])
def test_urls_that_cannot_be_read_are_value_errors(text):
    with pytest.raises(ValueError, match="URL"):
        parse_url(text)


@pytest.mark.parametrize(
    ("params", "query"),
    [
        ({"q": "x y", "k": 3, "n": None}, "q=x+y&k=3"),
        ({"l": [1, 2]}, "l=1&l=2"),
        ([["a", 1]], "a=1"),
        ("raw=1", "raw=1"),
        (None, ""),
    ],
)
def test_params_are_added_to_the_query(params, query):
    assert str(parse_url("http://h/p", params)) == "http://h/p" + ("?" + query if query else "")
    assert parse_url("http://h/p?z=1", params).query_string.startswith("z=1")


def test_headers_are_texts():
    assert header_texts({"A": 5, "B": None, "C": "x"}) == {"A": "5", "C": "x"}
    with pytest.raises(ValueError, match="not allowed"):
        header_texts({"A": "x\r\nEvil: 1"})


def test_basic_auth():
    assert basic_auth("u:p:q") == basic_auth(["u", "p:q"]) == "Basic dTpwOnE="
    with pytest.raises(ValueError, match="user:password"):
        basic_auth("nocolon")


def sent(method="POST", url="http://a/x"):
    headers = {"Authorization": "Basic x", "Content-Type": "text/plain", "X": "1"}
    return Request(method=method, url=parse_url(url), headers=headers, body=b"b")


def test_a_post_becomes_a_get_but_not_with_307():
    after = redirected(sent(), 302, "/y")
    assert (after.method, str(after.url), after.body) == ("GET", "http://a/y", None)
    assert after.headers == {"Authorization": "Basic x", "X": "1"}
    after = redirected(sent(), 307, "/y")
    assert (after.method, after.body) == ("POST", b"b")
    assert redirected(sent("PUT"), 302, "/y").method == "PUT"
    assert redirected(sent("PUT"), 303, "/y").method == "GET"


def test_credentials_stay_with_their_origin():
    assert "Authorization" not in redirected(sent(), 307, "http://b/").headers
    assert "Authorization" not in redirected(sent(), 307, "https://a/").headers
    assert "Authorization" not in redirected(sent(), 307, "http://a:81/").headers


def test_no_redirect_to_other_schemes_and_none_without_location():
    with pytest.raises(BadURL, match="'file' is not allowed"):
        redirected(sent(), 302, "file:///etc/passwd")
    assert redirected(sent(), 302, None) is None
    assert redirected(sent(), 304, "/y") is None
