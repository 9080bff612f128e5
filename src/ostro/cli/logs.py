"""What Ostro's log lines look like: for people on a terminal, JSON elsewhere.

Guarantees that no value whose name says secret, and no password of a URL, gets into a line. Built on the standard
library's logging, so that structlog's loggers and every library's messages come out alike.
"""

import logging
import re
import sys
from datetime import UTC, datetime
from typing import Any, TextIO

import msgspec
import structlog

_SECRET_NAME = r"[\w.-]*(?:passw|token|secret|auth|api[_-]?key|credential|cookie|private[_-]?key)[\w.-]*"
_SECRET_PAIR = re.compile(
    rf"(?i)(\b{_SECRET_NAME}['\"]?\s*[=:]\s*)(\"[^\"]*\"|'[^']*'|(?:(?:Bearer|Basic)\s+)?[^\s,;&}})]+)"
)
_URL_PASSWORD = re.compile(r"(\w+://[^\s:/@]*:)[^\s@/]+(@)")
_COLOURS = {"DEBUG": "\x1b[2m", "WARNING": "\x1b[33m", "ERROR": "\x1b[31m", "CRITICAL": "\x1b[1;31m"}
_OWN_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message", "taskName"}


def configure(level: str, style: str, stream: TextIO | None = None) -> None:
    """Send all logging to `stream` (default: standard error). `style`: auto, text or json."""
    stream = stream or sys.stderr
    is_terminal = stream.isatty()
    use_json = style == "json" or (style == "auto" and not is_terminal)
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter() if use_json else TextFormatter(colour=is_terminal))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for noisy in ("uvicorn.error", "uvicorn.access", "asyncio", "aiohttp", "asyncssh", "alembic", "multipart"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, root.level))
    logging.captureWarnings(True)
    structlog.configure(
        processors=[structlog.stdlib.render_to_log_kwargs],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


def redact(text: str) -> str:
    """The text without secrets: values after names such as `password=`, passwords in URLs."""
    return _SECRET_PAIR.sub(r"\1***", _URL_PASSWORD.sub(r"\1***\2", text))


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time (UTC), level, logger, event, then what the caller passed as `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }
        entry.update(_extras(record))
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return msgspec.json.encode({name: _shown(name, value) for name, value in entry.items()}).decode()


class TextFormatter(logging.Formatter):
    """`12:30:01 warning what happened  key=value`."""

    def __init__(self, *, colour: bool) -> None:
        super().__init__()
        self._colour = colour

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created).strftime("%H:%M:%S")
        level = record.levelname.lower()
        extras = "".join(f"  {name}={value}" for name, value in _extras(record).items())
        line = redact(f"{time} {level:7} {record.getMessage()}{extras}")
        if record.exc_info:
            line += "\n" + redact(self.formatException(record.exc_info))
        colour = _COLOURS.get(record.levelname, "") if self._colour else ""
        return f"{colour}{line}\x1b[0m" if colour else line


def _shown(name: str, value: Any) -> Any:
    if re.fullmatch(_SECRET_NAME, name, re.IGNORECASE):
        return "***"
    return value if value is None or isinstance(value, bool | int | float) else redact(str(value))


def _extras(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in vars(record).items() if name not in _OWN_FIELDS}
