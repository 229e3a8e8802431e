"""The program that runs inside a scaffold's own sandbox: executes `run(h)` and turns each host call into a line.

The first line of standard input is the scaffold's source, as a JSON string; after that every line out is a call and
every line in is its answer. The scaffold shares this process, so nothing here is a secret and nothing that it says is
believed: the worst it can do is to make other host calls than `h` would, and those are charged and checked like any.
Python 3.9, and few imports.
"""

from __future__ import annotations

import json
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TextIO


class HostError(Exception):
    """The host could not do what was asked; the message says why. A scaffold may catch it."""


class Host:
    """All that a scaffold can do."""

    def __init__(self, hear: TextIO, say: TextIO) -> None:
        self._hear, self._say = hear, say

    def _call(self, call: str, /, **args: Any) -> Any:
        self._say.write(json.dumps({"call": call, "args": args}) + "\n")
        self._say.flush()
        line = self._hear.readline()
        if not line:
            os._exit(0)
        answer = json.loads(line)
        if "error" in answer:
            raise HostError(answer["error"])
        return answer["value"]

    def task(self) -> Any:
        return self._call("task")

    def llm(self, messages: Any, max_tokens: int | None = None, stop: str = "", temperature_class: str = "mid") -> Any:
        if isinstance(messages, str):
            messages = [{"role": "user", "content": messages}]
        return self._call("llm", messages=messages, max_tokens=max_tokens, stop=stop, temperature=temperature_class)

    def tool(self, name: str, args: dict[str, Any] | None = None) -> Any:
        return self._call("tool", name=name, args=args or {})

    def read(self, path: str) -> Any:
        return self._call("read", path=path)

    def write(self, path: str, text: str) -> Any:
        return self._call("write", path=path, text=text)

    def list(self, path: str = ".") -> Any:
        return self._call("list", path=path)

    def run(self, cmd: str, timeout: float = 20) -> Any:
        return self._call("run", command=cmd, timeout=timeout)

    def visible_tests(self) -> Any:
        return self._call("visible_tests")

    def snapshot(self) -> Any:
        return self._call("snapshot")

    def restore(self, number: int) -> Any:
        return self._call("restore", number=number)

    def note_get(self, name: str) -> Any:
        return self._call("note_get", name=name)

    def note_put(self, name: str, text: str) -> Any:
        return self._call("note_put", name=name, text=text)

    def budget(self) -> Any:
        return self._call("budget")

    def submit(self, paths: Any = None) -> Any:
        return self._call("submit", paths=paths)


def main() -> None:
    hear, say = os.fdopen(os.dup(0), "r"), os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what the scaffold prints is not a call
    os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
    space: dict[str, Any] = {"__name__": "scaffold", "HostError": HostError}
    exec(compile(json.loads(hear.readline()), "scaffold.py", "exec"), space)  # noqa: S102 - this process is for nothing else
    space["run"](Host(hear, say))


if __name__ == "__main__":
    main()
