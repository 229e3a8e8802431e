"""Tokens to trees: numbers, names, ("neg", x), (sign, left, right) and ("call", name, arguments)."""

from minicalc.lexer import tokens


class Parser:
    """One expression. Raises ValueError."""

    def __init__(self, text):
        self._tokens = tokens(text)
        self._at = 0

    def parse(self):
        found = self._sum()
        if self._at < len(self._tokens):
            raise ValueError(f"unexpected {self._tokens[self._at][1]!r}")
        return found

    def _peek(self):
        return self._tokens[self._at] if self._at < len(self._tokens) else ("end", "")

    def _take(self, text):
        if self._peek()[1] != text:
            return False
        self._at += 1
        return True

    def _sum(self):
        left = self._product()
        while self._peek()[1] in ("+", "-"):
            sign = self._peek()[1]
            self._at += 1
            left = (sign, left, self._product())
        return left

    def _product(self):
        left = self._factor()
        while self._peek()[1] in ("*", "/", "%"):
            sign = self._peek()[1]
            self._at += 1
            left = (sign, left, self._factor())
        return left

    def _factor(self):
        if self._take("-"):
            return ("neg", self._factor())
        kind, text = self._peek()
        if kind == "number":
            self._at += 1
            return int(text)
        if kind == "name":
            self._at += 1
            if self._take("("):
                return ("call", text, self._arguments())
            return text
        if self._take("("):
            found = self._sum()
            if not self._take(")"):
                raise ValueError("a bracket is not closed")
            return found
        raise ValueError(f"unexpected {text!r}" if text else "the expression ends too early")

    def _arguments(self):
        found = []
        if self._take(")"):
            return found
        found.append(self._sum())
        while self._take(","):
            found.append(self._sum())
        if not self._take(")"):
            raise ValueError("a bracket is not closed")
        return found
