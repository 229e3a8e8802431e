"""Answerers without a model: by rule, at once, the same every time. For tests, and for trying a configuration out."""

import json
import re
import threading
from collections.abc import Callable, Mapping, Sequence

from bowerbird.types import JsonValue


def answer_text(veto: bool, reason: str = "", quotes: Sequence[str] = ()) -> str:
    """An answer as a judge writes it."""
    return json.dumps({"reason": reason, "quotes": list(quotes), "decision": "veto" if veto else "abstain"})


ABSTAINS = answer_text(False, "nothing to object to")


def vetoes(*patterns: str) -> Callable[[str], str]:
    """A rule that vetoes records with a line in which one of the regular expressions is found, and quotes that line.
    Only lines of at least 8 characters count: shorter quotes prove nothing."""

    def rule(shown: str) -> str:
        for line in shown.split("\n"):
            bare = line.removeprefix("| ").strip()
            if line.startswith("| ") and len(bare) >= 8:
                for pattern in patterns:
                    if re.search(pattern, bare):
                        return answer_text(True, f"matches {pattern}", [bare])
        return ABSTAINS

    return rule


class FakeAnswerer:
    """Answers `rule(what was shown)`. A rule may raise, as an endpoint does. `asked` holds all messages so far."""

    def __init__(self, rule: Callable[[str], str] = lambda _: ABSTAINS, model: str = "fake") -> None:
        self._rule, self.model = rule, model
        self._lock = threading.Lock()
        self.asked: list[tuple[Mapping[str, str], ...]] = []
        self.attempts: list[int] = []

    @property
    def model_hash(self) -> str:
        return f"fake:{self.model}"

    @property
    def settings(self) -> Mapping[str, JsonValue]:
        return {"temperature": 0.0, "seed": 0, "max_tokens": 256}

    def ask(self, messages: Sequence[Mapping[str, str]], schema: str, attempt: int = 0) -> str:
        with self._lock:
            self.asked.append(tuple(messages))
            self.attempts.append(attempt)
        return self._rule(messages[-1]["content"])
