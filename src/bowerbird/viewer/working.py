"""What an agent does, line by line, while it does it."""

from collections.abc import Callable
from typing import cast

from bowerbird.rollout.effects import Act, Ask, Check, Effect, Heard, Reply, Restore, Snapshot, Speak, Write
from bowerbird.rollout.session import command_of
from bowerbird.sandbox import Execution
from bowerbird.types import Completion
from bowerbird.viewer.text import clean

_LINES, _WIDTH = 6, 160


class WorkView:
    """A looker of `run_alone`. `write` gets one line at a time, without its end, safe to print."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._out = write

    def __call__(self, effect: Effect, reply: Reply | None) -> None:
        if reply is None:
            if shown := _before(effect):
                self._write(shown)
        elif isinstance(effect, Ask):
            for completion in cast(tuple[Completion, ...], reply):
                self._said(completion.text)
        elif isinstance(reply, Execution):
            self._ran(reply)
        elif isinstance(reply, Heard) and reply.end is not None and reply.end.exit_code:
            self._some("  | ", reply.end.stderr.decode("utf-8", "replace"))

    def _write(self, line: str) -> None:
        self._out(clean(line))

    def _said(self, text: str) -> None:
        """The words of an answer; its action is shown when it happens."""
        self._some("  ", text.split("```", 1)[0])

    def _ran(self, done: Execution) -> None:
        self._some("  | ", (done.stdout + done.stderr).decode("utf-8", "replace"))
        if done.exit_code:
            self._write(f"  exit {done.exit_code}")
        elif done.timed_out:
            self._write("  stopped at the time limit")

    def _some(self, mark: str, text: str) -> None:
        lines = text.strip().splitlines()
        for line in lines[:_LINES]:
            self._write(f"{mark}{line[:_WIDTH]}")
        if len(lines) > _LINES:
            self._write(f"{mark}... {len(lines) - _LINES} lines more")


def _before(effect: Effect) -> str:
    match effect:
        case Ask():
            return "model ..."
        case Act():
            return f"$ {' '.join(command_of(effect.argv).split())[:_WIDTH]}"
        case Write():
            return f"write {effect.path} ({len(effect.data)} bytes)"
        case Check():
            return "visible examples"
        case Snapshot():
            return "snapshot"
        case Restore():
            return f"restore snapshot {effect.number}"
        case Speak():
            return ""
        case _:
            return f"read {', '.join(effect.paths)[:_WIDTH]}"
