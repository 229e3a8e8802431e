"""What an agent does, line by line, while it does it."""

from collections.abc import Callable

from bowerbird.rollout.effects import Act, Ask, Check, Effect, Heard, Reply, Restore, Snapshot, Speak, Write
from bowerbird.sandbox import Execution

_LINES, _WIDTH = 6, 160


class WorkView:
    """A looker of `run_alone`. `write` gets one line at a time, without its end."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self.tokens = self.calls = 0

    def __call__(self, effect: Effect, reply: Reply | None) -> None:
        if reply is None:
            if shown := _before(effect):
                self._write(shown)
        elif isinstance(effect, Ask) and isinstance(reply, tuple):
            for completion in reply:
                self.calls += 1
                self.tokens += len(completion.token_ids)  # type: ignore[union-attr]
                self._said(completion.text)  # type: ignore[union-attr]
        elif isinstance(reply, Execution):
            self._ran(reply)
        elif isinstance(reply, Heard) and reply.end is not None and reply.end.exit_code:
            self._some("  | ", reply.end.stderr.decode("utf-8", "replace"))

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
            command = effect.argv[5] if len(effect.argv) == 7 else effect.argv[-1]  # a session's, or one of the host's
            return f"$ {' '.join(command.split())[:_WIDTH]}"
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
