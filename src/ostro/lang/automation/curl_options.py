"""curl's options, by what they mean for one call. Names and letters are those of curl's manual."""

from collections.abc import Iterator

from ostro.lang.automation.imports_literal import marks
from ostro.model.errors import InvalidInput

# Options with a value that matter here: letter or "" -> long name.
_VALUED = {
    "X": "request", "H": "header", "d": "data", "u": "user", "A": "user-agent", "e": "referer", "b": "cookie",
    "m": "max-time", "F": "form", "T": "upload-file", "x": "proxy", "E": "cert", "o": "output", "w": "write-out",
    "c": "cookie-jar", "D": "dump-header", "K": "config", "r": "range", "Y": "speed-limit", "y": "speed-time",
    "C": "continue-at", "Q": "quote", "P": "ftp-port", "t": "telnet-option", "U": "proxy-user", "z": "time-cond",
    "h": "help",
}  # fmt: skip
_FLAGS = {
    "G": "get", "I": "head", "L": "location", "f": "fail", "k": "insecure", "s": "silent", "S": "show-error",
    "v": "verbose", "i": "include", "O": "remote-name", "J": "remote-header-name", "N": "no-buffer", "g": "globoff",
    "#": "progress-bar", "0": "http1.0", "1": "tlsv1", "2": "sslv2", "3": "sslv3", "4": "ipv4", "6": "ipv6",
    "R": "remote-time", "q": "disable", "n": "netrc", "a": "append", "j": "junk-session-cookies", "Z": "parallel",
    "p": "proxytunnel", "l": "list-only", "B": "use-ascii", "M": "manual", "V": "version", ":": "next",
}  # fmt: skip
_LONG_VALUED = frozenset(_VALUED.values()) | {
    "data-ascii", "data-binary", "data-raw", "data-urlencode", "json", "url", "url-query", "oauth2-bearer",
    "connect-timeout", "retry", "retry-delay", "retry-max-time", "max-redirs", "cacert", "capath", "key", "cert-type",
    "key-type", "pass", "ciphers", "tls13-ciphers", "resolve", "connect-to", "interface", "limit-rate", "stderr",
    "trace", "trace-ascii", "noproxy", "proxy-header", "socks5", "socks5-hostname", "socks4", "unix-socket",
    "form-string", "max-filesize", "aws-sigv4", "hsts", "etag-save", "etag-compare", "output-dir", "tls-max",
    "dns-servers", "doh-url", "expect100-timeout", "keepalive-time", "local-port", "parallel-max", "rate",
    "request-target", "proto", "proto-default", "proto-redir", "netrc-file", "variable", "pinnedpubkey",
}  # fmt: skip
_LONG_FLAGS = frozenset(_FLAGS.values()) | {
    "compressed", "fail-with-body", "fail-early", "http1.1", "http2", "http2-prior-knowledge", "http3", "basic",
    "digest", "ntlm", "negotiate", "anyauth", "location-trusted", "retry-all-errors", "retry-connrefused", "raw",
    "tlsv1.0", "tlsv1.1", "tlsv1.2", "tlsv1.3", "ssl", "ssl-reqd", "path-as-is", "post301", "post302", "post303",
    "tcp-nodelay", "tcp-fastopen", "trace-time", "create-dirs", "buffer", "keepalive", "progress-meter", "alpn",
    "sessionid", "styled-output", "compressed-ssh", "tr-encoding", "ignore-content-length", "xattr", "no-clobber",
    "proxy-insecure", "ssl-no-revoke", "ssl-allow-beast",
}  # fmt: skip

# No trace in an automation: output, display, transport details that do not change the call.
SILENT = {
    "silent", "show-error", "verbose", "include", "output", "remote-name", "remote-header-name", "no-buffer",
    "buffer", "progress-bar", "progress-meter", "write-out", "dump-header", "compressed", "fail", "fail-with-body",
    "fail-early", "location", "globoff", "http1.1", "http2", "http2-prior-knowledge", "http3", "basic", "disable",
    "stderr", "trace", "trace-ascii", "trace-time", "remote-time", "styled-output", "create-dirs", "output-dir",
    "tcp-nodelay", "tcp-fastopen", "keepalive", "keepalive-time", "raw", "alpn", "retry-connrefused", "sessionid",
    "ssl-no-revoke", "tlsv1.2", "tlsv1.3", "no-clobber", "xattr", "path-as-is", "proto", "proto-redir",
}  # fmt: skip


class Options:
    """What was given. `values`: long name -> its values in order; `flags`; `urls`; `data`: (option, value) in
    order, because all kinds of data are joined."""

    def __init__(self) -> None:
        self.values: dict[str, list[str]] = {}
        self.flags: set[str] = set()
        self.urls: list[str] = []
        self.data: list[tuple[str, str]] = []

    def last(self, name: str) -> str | None:
        return self.values[name][-1] if name in self.values else None

    def add(self, name: str, value: str) -> None:
        if name == "url":
            self.urls.append(value)
        elif name in ("data", "data-ascii", "data-binary", "data-raw", "data-urlencode", "json"):
            self.data.append((name, value))
        self.values.setdefault(name, []).append(value)


def parse(words: list[str]) -> Options:
    """Options of the words after `curl`. Raises InvalidInput for unknown ones and missing values."""
    options = Options()
    rest = iter(words)
    only_urls = False
    for word in rest:
        if only_urls or not word.startswith("-") or word == "-":
            options.urls.append(word)
        elif word == "--":
            only_urls = True
        elif word.startswith("--"):
            _long(options, word[2:], rest)
        else:
            _letters(options, word[1:], rest)
    return options


def _long(options: Options, name: str, rest: Iterator[str]) -> None:
    if name in _LONG_VALUED:
        options.add(name, _value(f"--{name}", rest))
    elif name in _LONG_FLAGS:
        options.flags.add(name)
    elif name.startswith("no-") and name[3:] in _LONG_FLAGS:
        options.flags.discard(name[3:])
    else:
        shown = name if not marks(name) else "..."
        raise InvalidInput(f"curl's option --{shown} is not known here; leave it out if the call does not need it.")


def _letters(options: Options, letters: str, rest: Iterator[str]) -> None:
    """`-sSLX POST`, `-XPOST`: flags one after another, then perhaps one option with its value."""
    for index, letter in enumerate(letters):
        if letter in _FLAGS:
            options.flags.add(_FLAGS[letter])
        elif letter in _VALUED:
            value = letters[index + 1 :] or _value(f"-{letter}", rest)
            options.add(_VALUED[letter], value)
            return
        else:
            raise InvalidInput(f"curl's option -{letter} is not known here; leave it out if the call does not need it.")


def _value(option: str, rest: Iterator[str]) -> str:
    value = next(rest, None)
    if value is None:
        raise InvalidInput(f"curl's option {option} needs a value.")
    return value
