"""Automations in files: whether a file is one, its findings, previews, imports and exports. No server is needed."""

import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ostro.model.errors import DefinitionError, InvalidInput, Problem

_LARGEST = 32 << 20  # bytes of a document that is fetched


def is_automation(text: str) -> bool:
    """Whether a text is an automation and not a workflow: a map with steps, and without a version."""
    from ostro.lang.reader import read

    try:
        data = read(text).data
    except DefinitionError:
        return False
    return isinstance(data, dict) and "version" not in data and ("steps" in data or "flow" in data)


def findings(text: str) -> list[Problem]:
    """All errors of an automation, by line and column."""
    from ostro.expr.state import check_state_template
    from ostro.lang.automation import read_workflow

    try:
        read_workflow(text, check_state_template)
    except DefinitionError as error:
        problems = list(error.problems) or [Problem(error.message)]
        return sorted(problems, key=lambda problem: (problem.line, problem.column))
    return []


def previewed(file: Path, body: Mapping[str, Any], user: Mapping[str, Any], config: str | None) -> list[dict[str, Any]]:
    """The calls that a run would make. Raises DefinitionError, ConfigError."""
    from ostro.api.automation.host import PreviewHost
    from ostro.app_parts import system_apis
    from ostro.config import load
    from ostro.expr.preview import preview
    from ostro.expr.state import check_state_template
    from ostro.lang.automation import parse_automation

    spec = parse_automation(_read(file), check_state_template)
    return preview(
        spec,
        input=body["input"],
        state=body["state"],
        user=user,
        system_apis=system_apis(load({}, config=config)),
        clock=time.monotonic,
        host=PreviewHost(body["env"]),
    )


def imported_openapi(spec: str, operations: Sequence[str], base_url: str | None) -> None:
    """Print the automation; notes go to standard error."""
    from ostro.lang.automation.imports import from_openapi

    notes: list[str] = []
    made = from_openapi(_document(spec), operations, base_url, notes)
    _print(made, notes)


def _document(spec: str) -> str:
    if not spec.startswith(("http://", "https://")):
        return _read(Path(spec))
    from urllib.error import URLError
    from urllib.request import urlopen

    try:
        with urlopen(spec, timeout=30) as answer:
            raw: bytes = answer.read(_LARGEST + 1)
    except (URLError, TimeoutError, ConnectionError) as error:
        raise InvalidInput(f"{spec}: {getattr(error, 'reason', error)}") from None
    if len(raw) > _LARGEST:
        raise InvalidInput(f"{spec}: the document is larger than {_LARGEST >> 20} MiB.")
    return raw.decode("utf-8-sig", "replace")


def imported_curl(command: str, name: str | None) -> None:
    """As `imported_openapi`."""
    from ostro.lang.automation.imports import from_curl

    notes: list[str] = []
    step = from_curl(command, notes)
    _print({"name": name or step["name"], "steps": [step]}, notes)


def _print(automation: Mapping[str, Any], notes: Sequence[str]) -> None:
    print(to_yaml(automation), end="")
    for note in notes:
        print(f"note: {note}", file=sys.stderr)


def exported_arazzo(text: str, folder: Path | None) -> None:
    """Print the document; with a folder also write it there, with the OpenAPI documents that it refers to."""
    from ostro.lang.automation.arazzo import export

    made = export(text)
    print(json.dumps(made.document, indent=2, ensure_ascii=False))
    for sentence in made.left_out:
        print(f"note: {sentence}", file=sys.stderr)
    if folder is not None:
        name = made.document["workflows"][0]["workflowId"]
        files = {f"{name}.arazzo.json": made.document, **made.sources}
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for file, document in files.items():
                (folder / file).write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", "utf-8")
        except OSError as error:
            raise InvalidInput(f"{folder}: {error.strerror}") from None


def to_yaml(value: Any) -> str:
    from ostro.api.automation.media import yaml_text

    return yaml_text(value)


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{file}: {getattr(error, 'strerror', None) or error}") from None
