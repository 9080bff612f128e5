"""Operations without I/O: what is asked, what is tried again, what is raised."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from ostro.sdk import errors, models
from ostro.sdk.client import Client
from ostro.sdk.exchange import exchange, json_request
from ostro.sdk.executions import Executions
from ostro.sdk.live import ExecutionEvent, Hello, Reload, stream
from ostro.sdk.steps import Emit, Lost, Message, Open, Pause, Read, Request, Response, Retries, Send
from ostro.sdk.triggers import CronTriggers

READ = Request(method="GET", path="v2/workflows", is_safe=True)
WRITE = json_request("POST", "v2/workflows", {})


def answer(body: Any = None, status: int = 200, **headers: str) -> Response:
    return Response(
        status, {name.replace("_", "-"): value for name, value in headers.items()}, json.dumps(body).encode()
    )


def play(steps: Any, *came: Any, retries: int = 3) -> tuple[Any, list[Any]]:
    """The result and all that was asked for, when requests come to `came` one after the other."""
    replies = list(came)
    asked: list[Any] = []
    reply: Any = None
    while True:
        try:
            asked.append(steps.send(reply))
        except StopIteration as done:
            return done.value, asked
        last = asked[-1]
        if isinstance(last, Send | Open | Read):
            reply = replies.pop(0)
        else:
            reply = retries if isinstance(last, Retries) else None


def pauses(asked: list[Any]) -> list[float]:
    return [one.seconds for one in asked if isinstance(one, Pause)]


def sends(asked: list[Any]) -> list[Request]:
    return [one.request for one in asked if isinstance(one, Send)]


BROKEN = Lost("broken", is_sent=True)
REFUSED = Lost("refused", is_sent=False)


def test_reads_are_tried_again_after_anything_that_passes() -> None:
    good = answer({})
    result, asked = play(exchange(READ), BROKEN, answer(status=503), answer(status=502), good)
    assert result is good
    assert pauses(asked) == [0.2, 0.4, 0.8]


def test_the_server_says_when_to_come_back() -> None:
    _, asked = play(
        exchange(READ), answer(status=503, retry_after="2"), answer(status=429, retry_after="900"), answer({})
    )
    assert pauses(asked) == [2.0, 30.0]


@pytest.mark.parametrize("came", [BROKEN, answer(status=503), answer(status=500)])
def test_a_change_that_may_have_happened_is_not_tried_again(came: Any) -> None:
    with pytest.raises(errors.ApiError):
        play(exchange(WRITE), came)


@pytest.mark.parametrize("came", [REFUSED, answer(status=429)])
def test_a_change_that_cannot_have_happened_is_tried_again(came: Any) -> None:
    _, asked = play(exchange(WRITE), came, answer({}, 201))
    assert len(sends(asked)) == 2


def test_it_gives_up_after_so_many_tries() -> None:
    with pytest.raises(errors.Unreachable) as caught:
        play(exchange(READ), *[REFUSED] * 3, retries=2)
    assert (caught.value.status, caught.value.code, caught.value.is_sent) == (0, "unreachable", False)
    assert "ostro serve" in caught.value.hint


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.InvalidRequest), (401, errors.Unauthenticated), (403, errors.Forbidden), (404, errors.NotFound),
        (409, errors.Conflict), (412, errors.Changed), (415, errors.InvalidRequest), (422, errors.InvalidDocument),
        (423, errors.Maintenance), (429, errors.TooMany), (500, errors.ServerError), (503, errors.Unavailable),
    ],
)  # fmt: skip
def test_each_status_has_its_class(status: int, kind: type[errors.ApiError]) -> None:
    with pytest.raises(errors.ApiError) as caught:
        play(exchange(WRITE), answer({"faultstring": "No."}, status), retries=0)
    assert type(caught.value) is kind
    assert (caught.value.status, caught.value.message) == (status, "No.")


def test_findings_of_a_document_are_in_the_error() -> None:
    body = {"faultstring": "Wrong.", "errors": [{"loc": "steps.0", "msg": "No url", "line": 3, "column": 5}]}
    with pytest.raises(errors.InvalidDocument) as caught:
        play(exchange(WRITE), answer(body, 422))
    [problem] = caught.value.problems
    assert (problem["message"], problem["line"], problem["loc"]) == ("No url", 3, "steps.0")


def test_an_answer_of_something_else_than_ostro_is_told() -> None:
    with pytest.raises(errors.ServerError, match="cannot be understood"):
        play(client().executions._read("1"), Response(200, {}, b"<html>"))
    with pytest.raises(errors.ServerError) as caught:
        play(exchange(WRITE), Response(502, {}, b"<html>Bad gateway"))
    assert caught.value.message == "The server answered 502."
    with pytest.raises(errors.NotFound) as missed:
        play(exchange(WRITE), Response(404, {}, b"<html>Not here"))
    assert "an Ostro server" in missed.value.hint
    with pytest.raises(errors.NotFound) as ours:
        play(exchange(WRITE), answer({"faultstring": "Not found."}, 404))
    assert ours.value.hint == ""


def client() -> Client:
    return Client("http://127.0.0.1:9", "secret-token")


def body_of(request: Request) -> Any:
    return json.loads(request.content or b"null")


def row(id: str, state: str = "RUNNING", **more: Any) -> dict[str, Any]:
    return {"id": id, "workflow_name": "w", "state": state, "created_at": "2026-01-31 23:59:58", **more}


def start(**options: Any) -> Any:
    return Executions.start(client().executions, "w", {"a": 1}, **options)  # type: ignore[call-overload]


def test_a_start_can_be_repeated_because_it_has_a_key() -> None:
    made, asked = play(start(), BROKEN, answer(row("1")))
    first, second = sends(asked)
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"] != ""
    assert body_of(first) == {"workflow_name": "w", "input": {"a": 1}}
    assert (made.id, made.created_at) == ("1", datetime(2026, 1, 31, 23, 59, 58, tzinfo=UTC))


def test_waiting_repeats_the_same_start_until_it_rests() -> None:
    made, asked = play(start(wait=True, key="k"), answer(row("1")), answer(row("1")), answer(row("1", "PAUSED")))
    assert made.state == "PAUSED"
    assert [one.headers for one in sends(asked)] == [sends(asked)[0].headers] * 3
    assert sends(asked)[0].headers["prefer"] == "wait=20"
    assert sends(asked)[0].wait == 20


def test_waiting_ends_when_the_time_is_over() -> None:
    made, asked = play(start(wait=0.2), answer(row("1")))
    assert made.state == "RUNNING"
    assert "prefer" not in sends(asked)[0].headers


def test_json_in_texts_is_decoded_and_what_is_cut_stays_a_text() -> None:
    shown = row(
        "1", "ERROR", input='{"a": [1]}', output='{"result": "no', params="{}", new_field=1, state_info="No luck"
    )
    found, _ = play(client().executions._read("1"), answer(shown))
    assert (found.input, found.output, found.params) == ({"a": [1]}, '{"result": "no', {})
    with pytest.raises(errors.ExecutionFailed, match="No luck"):
        found.result()


def test_names_are_one_segment_of_a_path() -> None:
    _, asked = play(client().workflows._read("a/b ?x"), answer({"id": "1", "name": "a/b ?x"}))
    assert sends(asked)[0].path == "v2/workflows/a%2Fb%20%3Fx"


def test_a_list_is_read_page_by_page_to_its_limit() -> None:
    following = "http://inside:1/v2/executions?marker=2&limit=2&sort_keys=created_at"
    steps = client().executions._pages(3, "-created_at,id", {"state": "ERROR"}).steps
    pages = (answer({"next": following, "executions": [row("1"), row("2")]}), answer({"executions": [row("3")]}))
    _, asked = play(steps, *pages)
    assert [item.id for one in asked if isinstance(one, Emit) for item in one.items] == ["1", "2", "3"]
    first, second = sends(asked)
    assert first.query == {"limit": "3", "sort_keys": "created_at,id", "sort_dirs": "desc,asc", "state": "ERROR"}
    assert (second.query["marker"], second.query["limit"]) == ("2", "1")


def test_times_of_cron_triggers_are_utc() -> None:
    moment = datetime.fromisoformat("2026-01-31T23:59+02:00")
    create = CronTriggers.create(client().cron_triggers, "n", "w", first_time=moment)  # type: ignore[call-overload]
    _, asked = play(create, answer({"id": "1", "name": "n", "workflow_name": "w"}, 201))
    assert body_of(sends(asked)[0])["first_execution_time"] == "2026-01-31 21:59"


def test_the_token_is_in_no_repr_and_no_error() -> None:
    one = client()
    driver: Any = one._driver
    shown = [repr(one), str(one), repr(vars(driver)), repr(driver._http.headers), repr(driver.arguments(READ))]
    shown.append(repr(models.Token(id="1", project_id="p", user_id="u", token="secret-token")))
    with pytest.raises(errors.ApiError) as caught:
        play(exchange(READ), answer({"faultstring": "No."}, 401))
    assert not [text for text in [*shown, repr(caught.value)] if "secret-token" in text]


@pytest.mark.parametrize("url", ["ftp://x", "localhost:8989", "http://", "http://ann:pw@host"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(errors.InvalidRequest) as caught:
        Client(url)
    assert "pw@" not in caught.value.message


@pytest.mark.parametrize("token", ["t1 t2", "t1\nX-Other: 1", "é"])
def test_a_token_that_no_header_can_carry_is_refused_and_not_shown(token: str) -> None:
    with pytest.raises(errors.InvalidRequest) as caught:
        Client("http://h", token)
    assert token not in caught.value.message


def test_the_version_may_be_part_of_the_address() -> None:
    assert Client("https://h/ostro/v2/").url == "https://h/ostro"


def message(event: str, data: Any, id: str = "") -> Message:
    return Message(event, json.dumps(data), id)


def test_a_stream_goes_on_after_its_last_event() -> None:
    def emitted(asked: list[Any]) -> list[Any]:
        return [item for one in asked if isinstance(one, Emit) for item in one.items]

    events = (
        answer(), message("hello", {}, "a:1"), message("execution", {"id": "1", "state": "RUNNING"}, "a:2"),
        message("from a newer server", {}), BROKEN,
        REFUSED, answer(status=503),
        answer(), message("reload", {"reason": "gap"}, "b:1"), BROKEN,
        answer({"faultstring": "No."}, 401),
    )  # fmt: skip
    asked: list[Any] = []
    with pytest.raises(errors.Unauthenticated):
        play(_kept(stream("v2/stream", {"execution_id": "1"}, None), asked), *events)
    hello, execution, reload = emitted(asked)
    assert isinstance(hello, Hello) and isinstance(execution, ExecutionEvent) and isinstance(reload, Reload)
    last_ids = [one.request.headers.get("last-event-id") for one in asked if isinstance(one, Open)]
    assert last_ids == [None, "a:2", "a:2", "a:2", "b:1"]
    assert pauses(asked) == [0.4, 0.8, 1.6, 0.4]


def _kept(steps: Any, asked: list[Any]) -> Any:
    """Keeps what is asked for, also when it ends in an error."""
    reply: Any = None
    while True:
        try:
            instruction = steps.send(reply)
        except StopIteration:
            return
        asked.append(instruction)
        reply = yield instruction


def test_a_stream_that_never_comes_back_is_an_error() -> None:
    with pytest.raises(errors.Unreachable):
        play(stream("v2/stream", {}, None), REFUSED, REFUSED, retries=1)
