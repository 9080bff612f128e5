"""A curl command as a step.

Guarantees: what the step sends is what curl would send (method, URL, headers, body), or an error says what an
automation cannot express; what is left out without changing the call is told in notes. Text is literal: templates in
it are not run. `$NAME` outside single quotes becomes `{{ INPUT.NAME }}`. No file is read, nothing is sent.
"""

import base64
import json
import re
from math import ceil
from typing import Any
from urllib.parse import parse_qsl, quote_plus, urlencode, urlsplit

from ostro.lang.automation.curl_options import SILENT, Options, parse
from ostro.lang.automation.curl_words import split
from ostro.lang.automation.imports_literal import marks, template, templates
from ostro.model.errors import InvalidInput

_FORM = "application/x-www-form-urlencoded"
_TRANSIENT = [408, 429, 500, 502, 503, 504]  # what curl's --retry calls transient
_SECRET_HEADER = re.compile(r"auth|token|key|secret|cookie|session", re.IGNORECASE)
_CANNOT = {
    "form": "a multipart body (-F)",
    "form-string": "a multipart body (--form-string)",
    "upload-file": "the upload of a file (-T)",
    "config": "a file of options (-K)",
    "next": "several calls (--next); import them one by one",
    "aws-sigv4": "a signature (--aws-sigv4)",
    "digest": "digest authentication",
    "ntlm": "NTLM authentication",
    "negotiate": "Negotiate authentication",
    "unix-socket": "a Unix socket",
    "url-query": "--url-query; write it into the URL",
}
_USED = {
    "request", "header", "data", "data-ascii", "data-binary", "data-raw", "data-urlencode", "json", "url", "user",
    "user-agent", "referer", "cookie", "max-time", "connect-timeout", "retry", "max-redirs", "get", "head",
    "oauth2-bearer", "range",
}  # fmt: skip


def from_curl(command: str, notes: list[str] | None = None) -> dict[str, Any]:
    """A step (as a plain map) that makes the call of a curl command. `notes` receives sentences about what a person
    should look at. Raises InvalidInput."""
    notes = [] if notes is None else notes
    words = split(command)
    if not words or words[0].rpartition("/")[2].removesuffix(".exe") != "curl":
        raise InvalidInput("This is no curl command: it has to begin with 'curl'.")
    options = parse(words[1:])
    for name in (*options.values, *options.flags):
        if name in _CANNOT:
            raise InvalidInput(f"An automation cannot express {_CANNOT[name]}.")
    notes.extend(
        f"--{name} has no counterpart in an automation and was left out."
        for name in sorted({*options.values, *options.flags} - SILENT - _USED)
    )
    headers = _headers(options)
    body = _body(options, headers)
    spec = _spec(options, headers, body)
    step: dict[str, Any] = {"name": _name(spec), "apispec": spec}
    if "retry" in options.values:
        step["retry"] = _retry(options)
    elif "max-redirs" in options.values:
        step["retry"] = {"redirect": max(_whole(options, "max-redirs"), 0)}
    _tell(step, words, notes)
    return step


def _spec(options: Options, headers: dict[str, str], body: tuple[str, Any] | None) -> dict[str, Any]:
    url = _url(options)
    method = options.last("request")
    if "get" in options.flags and body is not None:
        data = _joined(options)
        url += ("&" if "?" in url else "?") + data
        headers.pop("Content-Type", None)
        body = None
    elif "head" in options.flags:
        method = method or "HEAD"
    elif body is not None:
        method = method or "POST"
    url, params = _params(url)
    spec: dict[str, Any] = {"url": template(url), "method": _method(method or "GET")}
    if params:
        spec["params"] = templates(params)
    if headers:
        spec["headers"] = templates(headers)
    if body is not None:
        spec[body[0]] = templates(body[1])
    if "max-time" in options.values:
        spec["timeout"] = min(max(_whole(options, "max-time"), 1), 3600)
    return spec


def _method(text: str) -> str:
    return template(text) if marks(text) else text.upper()


def _url(options: Options) -> str:
    if len(options.urls) != 1:
        raise InvalidInput(f"One URL is needed, the command has {len(options.urls)}.")
    url = options.urls[0].strip()
    if "globoff" not in options.flags and re.search(r"\{[^{}]*,[^{}]*\}|\[[\w]+-[\w]+(:\d+)?\]", url):
        raise InvalidInput("The URL stands for several ones ({a,b} or [1-9]); give one, or -g if it is meant as it is.")
    url = url.partition("#")[0]
    if "://" not in url:
        return url if url.startswith("\ue000") else f"http://{url}"
    if urlsplit(url).scheme not in ("http", "https"):
        raise InvalidInput("Only http and https URLs can be called.")
    return url


def _params(url: str) -> tuple[str, dict[str, Any]]:
    """URL and query apart, if the query means the same when it is put together again."""
    base, _, query = url.partition("?")
    pairs = parse_qsl(query, keep_blank_values=True)
    if not pairs or "\ufffd" in str(pairs) or any("=" not in part for part in query.split("&")):
        return url, {}
    params: dict[str, Any] = {}
    for key, value in pairs:
        params[key] = value if key not in params else [*_listed(params[key]), value]
    has_order = parse_qsl(urlencode(params, doseq=True), keep_blank_values=True) == pairs
    return (base, params) if has_order and not any(map(marks, params)) else (url, {})


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _headers(options: Options) -> dict[str, str]:
    """Headers in order, the last one of a name wins unless they are listed ones; `Name;` is an empty one."""
    headers: dict[str, str] = {}
    removed: set[str] = set()
    for line in options.values.get("header", []):
        if line.startswith("@"):
            raise InvalidInput("The headers are in a file (-H @FILE); write them into the command.")
        name, colon, value = line.partition(":")
        name, value = name.strip(), value.strip()
        if not colon and name.endswith(";"):
            headers[name[:-1]] = ""
        elif colon and not value:
            removed.add(name.lower())
        elif colon:
            joiner = "; " if name.lower() == "cookie" else ", "
            headers[name] = f"{headers[name]}{joiner}{value}" if name in headers else value
    for option, name in (("user-agent", "User-Agent"), ("referer", "Referer")):
        _default(headers, removed, name, options.last(option))
    byte_range = options.last("range")
    _default(headers, removed, "Range", byte_range and f"bytes={byte_range}")
    bearer = options.last("oauth2-bearer")
    _default(headers, removed, "Authorization", bearer and f"Bearer {bearer}")
    _default(headers, removed, "Authorization", _basic(options.last("user")))
    for cookie in options.values.get("cookie", []):
        if "=" not in cookie:
            raise InvalidInput("The cookies are in a file (-b FILE); write them as -b 'name=value'.")
        headers["Cookie"] = f"{headers['Cookie']}; {cookie}" if "Cookie" in headers else cookie
    if options.data and "get" not in options.flags:
        is_json = any(kind == "json" for kind, _ in options.data)
        _default(headers, removed, "Content-Type", "application/json" if is_json else _FORM)
        _default(headers, removed, "Accept", "application/json" if is_json else None)
    return headers


def _default(headers: dict[str, str], removed: set[str], name: str, value: str | None) -> None:
    if value and name.lower() not in removed and not any(key.lower() == name.lower() for key in headers):
        headers[name] = value


def _basic(user: str | None) -> str | None:
    if user is None:
        return None
    if marks(user):
        raise InvalidInput(
            "-u with a shell variable: basic authentication is encoded. Use -H 'Authorization: Basic $NAME' with the "
            "encoded text in double quotes."
        )
    if ":" not in user:
        raise InvalidInput("-u without a password asks for one; write it as -u user:password.")
    return "Basic " + base64.b64encode(user.encode()).decode()


def _body(options: Options, headers: dict[str, str]) -> tuple[str, Any] | None:
    """(field of the call, value). Takes a content type out of the headers that the field implies."""
    if not options.data:
        return None
    text = _joined(options)
    name = next((key for key in headers if key.lower() == "content-type"), None)
    kind = headers.get(name, "").partition(";")[0].strip().lower() if name else ""
    if kind == "application/json" or kind.endswith("+json"):
        try:
            value = json.loads(text, parse_constant=_no_json)
        except ValueError:
            return "data", text
        if isinstance(value, dict | list):
            if name and headers[name] == "application/json":
                del headers[name]
            return "json_body", value
    if kind == _FORM and name:
        fields = _fields(text)
        if fields is not None:
            del headers[name]
            return "data", fields
    return "data", text


def _no_json(name: str) -> Any:
    raise ValueError(name)


def _fields(text: str) -> dict[str, Any] | None:
    _, fields = _params(f"?{text}")
    return fields or None


def _joined(options: Options) -> str:
    texts = []
    for kind, value in options.data:
        if value.startswith("@") and kind != "data-raw":
            raise InvalidInput(f"The data are in a file (--{kind} {value.split()[0]}); write them into the command.")
        texts.append(_encoded(value) if kind == "data-urlencode" else value)
    joiner = "" if all(kind == "json" for kind, _ in options.data) else "&"
    return joiner.join(texts)


def _encoded(value: str) -> str:
    """`--data-urlencode`: content, =content, name=content."""
    name, equals, content = value.partition("=")
    if not equals:
        name, content = "", value
    if "@" in name:
        raise InvalidInput("The data are in a file (--data-urlencode name@FILE); write them into the command.")
    encoded = quote_plus(content, safe="\ue000\ue001") if not marks(content) else content
    return f"{name}={encoded}" if name else encoded


def _retry(options: Options) -> dict[str, Any]:
    """curl tries again for passing troubles, whatever the method."""
    retry: dict[str, Any] = {
        "total": max(_whole(options, "retry"), 0),
        "allowed_methods": None,
        "status_forcelist": _TRANSIENT,
        "backoff_factor": 1,
    }
    if "max-redirs" in options.values:
        retry["redirect"] = max(_whole(options, "max-redirs"), 0)
    return retry


def _whole(options: Options, name: str) -> int:
    try:
        return ceil(float(options.last(name) or ""))
    except (ValueError, OverflowError):
        raise InvalidInput(f"--{name} needs a number.") from None


def _name(spec: dict[str, Any]) -> str:
    path = re.sub(r"\{\{ INPUT\W+(\w+)\W* \}\}", r"{\1}", urlsplit(spec["url"]).path).rstrip("/")
    return f"{spec['method']} {path or urlsplit(spec['url']).netloc}"[:255].strip()


def _tell(step: dict[str, Any], words: list[str], notes: list[str]) -> None:
    needed = dict.fromkeys(name for word in words for name in marks(word))
    if needed:
        notes.append(f"The input of a run needs: {', '.join(needed)} (shell variables of the command).")
    for name, value in step["apispec"].get("headers", {}).items():
        if _SECRET_HEADER.search(name) and "{{" not in value:
            notes.append(f"The header {name} holds what looks like a secret; a field of INPUT or USER.token is safer.")
