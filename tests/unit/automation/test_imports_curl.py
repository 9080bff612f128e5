"""curl commands become steps that send the same."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ostro.expr.jinja import check_state_template
from ostro.lang.automation import parse_automation
from ostro.lang.automation.imports import from_curl
from ostro.model.errors import InvalidInput
from tests.unit.automation.rendering import rendered


def spec(command: str) -> dict:
    step = from_curl(command)
    parse_automation({"name": "x", "steps": [step]}, check_state_template)
    return step["apispec"]


def test_a_plain_get():
    assert spec("curl https://api.example.com/users") == {"url": "https://api.example.com/users", "method": "GET"}


def test_a_url_without_scheme_is_http_and_a_fragment_is_not_sent():
    assert spec("curl example.com/a#b")["url"] == "http://example.com/a"


def test_a_command_over_several_lines_as_documentation_shows_it():
    step = from_curl(
        """curl -sSL --request POST 'https://api.example.com/posts' \\
             --header 'Authorization: Bearer abc' \\
             --header 'Content-Type: application/json' \\
             --data '{"title": "Hello", "tags": ["a", "b"]}'"""
    )
    assert step == {
        "name": "POST /posts",
        "apispec": {
            "url": "https://api.example.com/posts",
            "method": "POST",
            "headers": {"Authorization": "Bearer abc"},
            "json_body": {"title": "Hello", "tags": ["a", "b"]},
        },
    }


def test_what_a_browser_copies():
    copied = (
        r"""curl 'https://shop.example.com/api' -H 'content-type: application/json' -b 'sid=1; b=2' """
        r"""--data-raw $'{"note":"it\'s \u0041\u00e9 \ud83d\ude00!"}' --compressed"""
    )
    assert spec(copied) == {
        "url": "https://shop.example.com/api",
        "method": "POST",
        "headers": {"Cookie": "sid=1; b=2"},
        "json_body": {"note": "it's Aé 😀!"},
    }


def test_shell_variables_become_input_unless_they_are_in_single_quotes():
    notes: list[str] = []
    step = from_curl("""curl "https://a.example/$ID" -H "X-Key: ${KEY}" -d '{"price": "$5"}'""", notes)
    assert step["name"] == "POST /{ID}"
    assert rendered(step["apispec"], INPUT={"ID": 7, "KEY": "k"})["url"] == "https://a.example/7"
    assert step["apispec"]["headers"]["X-Key"] == "{{ INPUT.KEY }}"
    assert "$5" in step["apispec"]["data"]
    assert notes == ["The input of a run needs: ID, KEY (shell variables of the command)."]


@pytest.mark.parametrize(
    "body", ['{"a": "{{ USER.token }}"}', '{"a": "{% raw %}"}', '{"a": "{# x"}', '{"a": {"b": "{{"}}']
)
def test_template_marks_in_the_command_are_literal_text(body):
    import json

    step = spec(f"curl https://a.example --json '{body}'")
    assert rendered(step["json_body"], USER={"token": "secret"}) == json.loads(body)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("-d a=1 -d 'b=c d'", {"data": {"a": "1", "b": "c d"}}),
        ("--data-urlencode 'q=x y&z'", {"data": {"q": "x y&z"}}),
        ("-d a=1 -d a=2", {"data": {"a": ["1", "2"]}}),
        (
            "-d 'plain text'",
            {"data": "plain text", "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
        ),
        (
            "-d a=1 -d b=2 -d a=3",
            {"data": "a=1&b=2&a=3", "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
        ),
        (
            "-H 'Content-Type: text/csv' --data-binary $'a,b\\n1,2'",
            {"data": "a,b\n1,2", "headers": {"Content-Type": "text/csv"}},
        ),
        ("--json '[1, 2]'", {"json_body": [1, 2], "headers": {"Accept": "application/json"}}),
        ("--json 12", {"data": "12", "headers": {"Content-Type": "application/json", "Accept": "application/json"}}),
        ("-H 'Content-Type:' -d x", {"data": "x"}),
    ],
)
def test_bodies(options, expected):
    assert spec(f"curl https://a.example {options}") == {"url": "https://a.example", "method": "POST", **expected}


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("curl -I https://a.example", {"method": "HEAD"}),
        ("curl -XDELETE https://a.example", {"method": "DELETE"}),
        (
            "curl -sXput https://a.example -d ''",
            {"method": "PUT", "data": "", "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
        ),
        ("curl -G https://a.example -d a=1 -d b=2", {"method": "GET", "params": {"a": "1", "b": "2"}}),
        ("curl 'https://a.example?a=1&a=2&b=x%20y'", {"method": "GET", "params": {"a": ["1", "2"], "b": "x y"}}),
        ("curl -m 2.5 https://a.example", {"method": "GET", "timeout": 3}),
        ("curl -u ann:pw https://a.example", {"method": "GET", "headers": {"Authorization": "Basic YW5uOnB3"}}),
        (
            "curl -A me -e http://r.example https://a.example",
            {"method": "GET", "headers": {"User-Agent": "me", "Referer": "http://r.example"}},
        ),
        (
            "curl --oauth2-bearer t -r 0-99 https://a.example",
            {"method": "GET", "headers": {"Range": "bytes=0-99", "Authorization": "Bearer t"}},
        ),
        ("curl -H 'X-Empty;' https://a.example", {"method": "GET", "headers": {"X-Empty": ""}}),
        ("curl --url https://a.example --no-keepalive", {"method": "GET"}),
    ],
)
def test_options(command, expected):
    assert spec(command) == {"url": "https://a.example", **expected}


@pytest.mark.parametrize("query", ["a=1&flag", "a=1&b=2&a=3", "x=%ff"])
def test_a_query_that_would_come_out_differently_stays_in_the_url(query):
    assert spec(f"curl 'https://a.example/?{query}'") == {"url": f"https://a.example/?{query}", "method": "GET"}


def test_retries_as_curl_makes_them():
    step = from_curl("curl --retry 5 --max-redirs 2 https://a.example")
    parse_automation({"name": "x", "steps": [step]})
    assert step["retry"] == {
        "total": 5,
        "allowed_methods": None,
        "status_forcelist": [408, 429, 500, 502, 503, 504],
        "backoff_factor": 1,
        "redirect": 2,
    }


def test_what_is_left_out_and_what_looks_like_a_secret_is_told():
    notes: list[str] = []
    from_curl("curl -k --proxy http://p.example -H 'X-Api-Key: 123' -o /dev/null https://a.example", notes)
    assert notes == [
        "--insecure has no counterpart in an automation and was left out.",
        "--proxy has no counterpart in an automation and was left out.",
        "The header X-Api-Key holds what looks like a secret; a field of INPUT or USER.token is safer.",
    ]


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("wget https://a.example", "begin with 'curl'"),
        ("curl", "One URL is needed, the command has 0"),
        ("curl https://a.example https://b.example", "the command has 2"),
        ("curl ftp://a.example/x", "Only http and https"),
        ("curl https://a.example -F file=@x", "multipart"),
        ("curl https://a.example -d @body.json", "are in a file"),
        ("curl https://a.example -b cookies.txt", "are in a file"),
        ("curl https://a.example | jq .", "outside of quotes"),
        ("curl https://a.example?a=1&b=2", "outside of quotes"),
        ('curl https://a.example -H "X: $(date)"', "only a shell can work out"),
        ("curl https://a.example -H 'X: y", "not closed"),
        ("curl 'https://a.example/[1-9]'", "stands for several"),
        ("curl https://a.example --nonsense", "--nonsense is not known"),
        ("curl https://a.example -d", "needs a value"),
        ("curl https://a.example -m soon", "--max-time needs a number"),
        ("curl https://a.example -u ann", "without a password"),
    ],
)
def test_what_an_automation_cannot_express_is_an_error(command, reason):
    with pytest.raises(InvalidInput, match=reason):
        from_curl(command)


_PIECES = st.sampled_from(
    [
        "-X",
        "POST",
        "-d",
        "a=1",
        "-d{",
        "--json",
        "'{\"a\": [1]}'",
        "-H",
        "'A: b'",
        '"$X"',
        "$'\\x41'",
        "-G",
        "-u",
        "a:b",
        "-sS",
        "https://a.example/p?x=1&y",
        "'https://a.example/{{x}}'",
        "--retry",
        "3",
        "-m",
        "\\\n",
        "{%",
        "--",
        "-",
        "'",
        '"',
        "\\",
    ]
)


@given(st.lists(st.one_of(_PIECES, st.text(max_size=5)), max_size=8))
def test_any_command_is_a_valid_step_or_refused_with_a_sentence(pieces):
    with contextlib.suppress(InvalidInput):
        spec("curl https://a.example " + " ".join(pieces))
        spec("curl " + " ".join(pieces))
