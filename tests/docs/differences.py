"""The table of differences on `docs/how-to/from-mistral.md`, made of the tables in `docs/reference`.

`python -m tests.docs.differences` writes it anew.
"""

import re

from tests.docs.pages import ROOT

PAGE = ROOT / "docs" / "how-to" / "from-mistral.md"
BEGIN, END = "<!-- made by tests/docs/differences.py -->\n", "<!-- end -->\n"
_SOURCES = (("api.md", "Where Ostro differs from Mistral"), ("language.md", "Deviations"))


def rows_of(page: str, section: str) -> list[list[str]]:
    """The cells of the table in a section, without its head."""
    text = (ROOT / "docs" / "reference" / page).read_text()
    body = text.split(f"\n## {section}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in body.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines[2:]]


def table() -> str:
    lines = ["| What | Mistral | Ostro |", "|---|---|---|"]
    for page, section in _SOURCES:
        what = "API" if page == "api.md" else "language"
        for *about, mistral, ostro in rows_of(page, section):
            lines.append(f"| {about[0] if about else what} | {mistral} | {ostro} |")
    return "\n".join(lines) + "\n"


def written(text: str) -> str:
    """The page's text with the table as it should be."""
    before, rest = text.split(BEGIN, 1)
    return f"{before}{BEGIN}{table()}{END}{rest.split(END, 1)[1]}"


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text()))
