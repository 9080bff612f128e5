"""The words of one shell command, as POSIX shells and bash split them.

Quotes, backslashes, line continuations, `$'...'` and `$NAME` are understood; whatever would run or redirect
something is refused. Variables come out as marks (`imports_literal.mark`).
"""

import re

from ostro.lang.automation.imports_literal import mark
from ostro.model.errors import InvalidInput

_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|([A-Za-z_]\w*))")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "e": "\x1b", "E": "\x1b"}
_CODE = re.compile(r"x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})|([0-7]{1,3})")
_ENDS = ";&|<>()"


def split(command: str) -> list[str]:
    """Words of the command. Raises InvalidInput."""
    reader = _Reader(command.strip())
    words = []
    while (word := reader.word()) is not None:
        words.append(word)
    return words


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def word(self) -> str | None:
        """The next word, or None at the end."""
        self._skip_blanks()
        if self._at >= len(self._text):
            return None
        parts: list[str] = []
        while self._at < len(self._text) and not self._text[self._at].isspace():
            if self._text.startswith(("\\\n", "\\\r\n"), self._at):
                break
            parts.append(self._part())
        return "".join(parts)

    def _skip_blanks(self) -> None:
        while self._at < len(self._text):
            if self._text[self._at].isspace():
                self._at += 1
            elif self._text.startswith("\\\n", self._at):
                self._at += 2
            elif self._text.startswith("\\\r\n", self._at):
                self._at += 3
            else:
                return

    def _part(self) -> str:
        char = self._text[self._at]
        if char == "'":
            return self._until("'")
        if char == '"':
            return self._double()
        if char == "\\":
            self._at += 2
            return self._text[self._at - 1 : self._at]
        if self._text.startswith("$'", self._at):
            return self._ansi()
        if char == "$":
            return self._dollar()
        if char in _ENDS or char == "`":
            raise InvalidInput(
                f"The command has a '{char}' outside of quotes; give one curl command, without pipes or redirections, "
                "and put URLs and data in single quotes."
            )
        self._at += 1
        return char

    def _until(self, quote: str) -> str:
        end = self._text.find(quote, self._at + 1)
        if end < 0:
            raise InvalidInput(f"A {quote} is not closed.")
        part = self._text[self._at + 1 : end]
        self._at = end + 1
        return part

    def _double(self) -> str:
        self._at += 1
        parts: list[str] = []
        while self._at < len(self._text):
            char = self._text[self._at]
            if char == '"':
                self._at += 1
                return "".join(parts)
            if char == "\\":
                following = self._text[self._at + 1 : self._at + 2]
                parts.append("" if following == "\n" else following if following in '$`"\\' else "\\" + following)
                self._at += 2
            elif char == "$":
                parts.append(self._dollar())
            elif char == "`":
                raise InvalidInput("The command runs another one in ` `; put its result there.")
            else:
                parts.append(char)
                self._at += 1
        raise InvalidInput('A " is not closed.')

    def _dollar(self) -> str:
        found = _VARIABLE.match(self._text, self._at)
        if found is not None:
            self._at = found.end()
            return mark(found[1] or found[2])
        if self._text.startswith(("$(", "${"), self._at):
            raise InvalidInput(
                "The command holds a $(...) or ${...} that only a shell can work out; put its result there."
            )
        self._at += 1
        return "$"

    def _ansi(self) -> str:
        """`$'...'`, as browsers write data with line ends or quotes in it."""
        self._at += 2
        parts: list[str] = []
        while self._at < len(self._text):
            char = self._text[self._at]
            self._at += 1
            if char == "'":
                return "".join(parts).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
            parts.append(self._escape() if char == "\\" else char)
        raise InvalidInput("A $' is not closed.")

    def _escape(self) -> str:
        found = _CODE.match(self._text, self._at)
        if found is not None:
            self._at = found.end()
            code = int(found[4], 8) if found[4] else int(found[1] or found[2] or found[3], 16)
            return chr(code) if code <= 0x10FFFF else "\ufffd"
        char = self._text[self._at : self._at + 1]
        self._at += 1
        return _ESCAPES.get(char, char if char in "\\'\"?" else "\\" + char)
