"""The host's side of a scaffold: everything it can ask for, charged against its budgets. Each call is a generator of
effects; none does I/O itself. The tiers differ in who decides what to call next, and in nothing else.
"""

import json
import shlex
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from bowerbird.inference.chat import Chat, Message, Schema
from bowerbird.inference.protocol import Request
from bowerbird.rollout.effects import (
    LEAST_TOKENS,
    Act,
    Ask,
    Check,
    Checked,
    Draft,
    Effect,
    Read,
    Reply,
    Restore,
    Snapshot,
    Write,
)
from bowerbird.rollout.seeds import derive
from bowerbird.rollout.session import Session
from bowerbird.sandbox import Collected, Execution
from bowerbird.scaffold.card import TEMPERATURES
from bowerbird.types import WHOLE, Completion, JsonValue, Sampling, TaskView

if TYPE_CHECKING:
    from bowerbird.rollout.budget import Budget  # which holds tools, and those work through a host

_LISTED, _NOTES, _NOTE_BYTES, _NAME = 500, 64, 1 << 14, 100
_LOGGED, _PATH = 4000, 1024  # characters


class Exhausted(Exception):
    """A budget is used up."""


class Refused(Exception):
    """A call that makes no sense; the message is for whoever made it."""


class Full(Refused):
    """The model's context has no room for an answer to such messages."""


@dataclass(frozen=True, slots=True)
class Ran:
    """A finished command as a scaffold sees it: what it printed, errors included."""

    exit_code: int | None  # None: stopped at the time limit
    output: str


@dataclass(slots=True)
class Host:
    """One rollout's host. `calls`, `checks` and `log` are what it leaves."""

    task: TaskView
    chat: Chat
    budget: "Budget"
    seed: int
    calls: list[Completion] = field(default_factory=list)
    checks: list[Checked] = field(default_factory=list)
    log: list[dict[str, JsonValue]] = field(default_factory=list)
    actor: str = "scaffold"  # who decides on commands: a program, or the model in the loop of a plan
    actions: int = 0
    seconds: float = 0.0
    notes: dict[str, str] = field(default_factory=dict)
    submitted: bool = False
    _talks: dict[str, tuple[int, ...]] = field(default_factory=dict)
    _session: Session = field(default_factory=Session)

    @property
    def native_tools(self) -> bool:
        """Whether tools are shown and called in the form of the model's own template."""
        return self.budget.native_tools and self.chat.takes_tools

    @property
    def tokens_left(self) -> int:
        return self.budget.tokens - sum(len(call.token_ids) for call in self.calls)

    def left(self) -> dict[str, int]:
        """What may still be used, but for seconds: no two runs would be the same to a scaffold that looked."""
        return {
            "tokens": self.tokens_left,
            "calls": self.budget.calls - len(self.calls),
            "actions": self.budget.actions - self.actions,
        }

    def draft(self) -> Draft:
        """What stands in the workspace is submitted."""
        return Draft(None, tuple(self.calls), tuple(self.checks), tuple(self.log))

    # -- the model ---------------------------------------------------------------------------------

    def llm(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int = 0,
        stop: str = "",
        temperature: str = "mid",
        tools: Sequence[Schema] = (),
    ) -> Generator[Effect, Reply, str]:
        """The model's answer, without its reasoning. A talk that goes on from an earlier answer goes on from the very
        tokens that were sampled for it. `tools` are shown in the form of the model's own template. Raises Exhausted,
        Refused and Full."""
        if temperature not in TEMPERATURES:
            raise Refused(f"no such temperature class: {temperature!r}; there are {', '.join(TEMPERATURES)}")
        room = min(self.budget.call_tokens, self.tokens_left)
        if len(self.calls) >= self.budget.calls or room < LEAST_TOKENS:
            raise Exhausted("no tokens or calls are left")
        limit = min(room, max(LEAST_TOKENS, max_tokens)) if max_tokens > 0 else room
        messages = [{"role": m["role"], "content": _sayable(m["content"])} for m in messages]
        ids = self._prompt(messages, tools)
        sampling = Sampling(TEMPERATURES[temperature], 0.0, limit, derive(self.seed, "call", len(self.calls)))
        (reply,) = cast(tuple[Completion, ...], (yield Ask((Request(ids, sampling, stop=stop),))))
        self.calls.append(reply)
        answer = self.chat.answer(ids, reply.text)
        self._talks[_key([*messages, {"role": "assistant", "content": answer}], tools)] = ids + reply.token_ids
        self.log.append({"event": "answer", "tokens": len(reply.token_ids), "finish": reply.finish})
        if reply.finish == "too_long":
            raise Full("the model's context is full: these messages leave no room for an answer")
        return answer

    def _prompt(self, messages: Sequence[Message], tools: Sequence[Schema]) -> tuple[int, ...]:
        *before, last = messages
        known = self._talks.get(_key(before, tools))
        try:
            if known is not None and last["role"] in ("user", "tool"):
                return self.chat.extend(known, last["content"], role=last["role"])
            return self.chat.prompt(messages, tools=tools)
        except ValueError as error:
            raise Refused(f"the model's chat template does not take these messages: {error}") from error

    # -- the workspace -----------------------------------------------------------------------------

    def run(self, command: str, timeout_s: float = 0.0) -> Generator[Effect, Reply, Ran]:
        """A command in the rollout's shell, whose folder and variables live on from command to command."""
        self._charge()
        mark = f"{derive(self.seed, 'mark', self.actions):x}"
        wall = timeout_s if 0 < timeout_s < self.budget.action_s else self.budget.action_s  # NaN is neither
        done = yield from self._act(self._session.argv(command, mark), wall)
        output = self._session.finished(done, mark)
        ran = Ran(None if done.timed_out else done.exit_code, output)
        self.log.append(
            {"event": "action", "by": self.actor, "command": short(command, _LOGGED), "result": short(output, _LOGGED)}
        )
        return ran

    def read(self, path: str) -> Generator[Effect, Reply, str]:
        """A file's text. Raises Refused where there is no such regular file."""
        _check_path(path)
        self._charge()
        found = cast(Collected, (yield Read((path,))))
        if path not in found.files:
            raise Refused("; ".join(found.anomalies) or f"{path}: no such file")
        return found.files[path].decode("utf-8", "replace")

    def write(self, path: str, text: str) -> Generator[Effect, Reply, None]:
        """Put a file there, folders included. Raises Refused where the path leads out of the workspace."""
        _check_path(path)
        self._charge()
        if not (yield Write(path, text.encode("utf-8", "replace"))):
            raise Refused(f"{path!r} is not a path inside the workspace")
        self.log.append({"event": "write", "path": path, "text": short(text, _LOGGED)})

    def edit(self, path: str, old: str, new: str) -> Generator[Effect, Reply, None]:
        """Replace `old`, which must occur exactly once. Raises Refused."""
        text = yield from self.read(path)
        if (count := text.count(old) if old else 0) != 1:
            raise Refused(f"{path}: the text to replace occurs {count} times, and must occur once")
        yield from self.write(path, text.replace(old, new))

    def list(self, path: str = ".") -> Generator[Effect, Reply, "list[str]"]:
        """Files below a folder, hidden ones left out."""
        done = yield from self._quiet(f"find {shlex.quote(path)} -not -path '*/.*' -type f | sort | head -{_LISTED}")
        if not done.stdout and done.exit_code:
            raise Refused(f"{path}: no such folder")
        return [line.removeprefix("./") for line in done.stdout.decode("utf-8", "replace").splitlines()]

    def search(self, pattern: str, path: str = ".") -> Generator[Effect, Reply, str]:
        """Lines that match an extended regular expression, with file and number."""
        where = f"-e {shlex.quote(pattern)} -- {shlex.quote(path)}"
        done = yield from self._quiet(f"grep -rnIE --exclude-dir=.git {where} | head -100")
        return done.stdout.decode("utf-8", "replace") or done.stderr.decode("utf-8", "replace") or "nothing matches"

    def visible_tests(self) -> Generator[Effect, Reply, tuple[bool, str]]:
        """Whether what stands in the workspace passes the visible tests, and what they say."""
        if self.task.visible:
            self._charge()
            done = yield from self._act(self.task.visible, self.budget.action_s)
            self.log.append({"event": "checks", "passed": [done.exit_code == 0]})
            return done.exit_code == 0, (done.stdout + done.stderr).decode("utf-8", "replace")
        if not self.task.examples:
            return False, "there are no visible tests"
        try:
            source = yield from self.read(self.task.submission[0])
        except Refused as refused:
            return False, str(refused)
        (found,) = cast(tuple[Checked, ...], (yield Check((source,))))
        self.checks.append(found)
        self.log.append({"event": "checks", "passed": [found.passed]})
        return found.passed, "all visible examples pass" if found.passed else found.message

    def snapshot(self) -> Generator[Effect, Reply, int]:
        """A number to come back to. Raises Refused where the files cannot be copied: one is locked, say."""
        self._charge()
        if not (number := cast(int, (yield Snapshot()))):
            raise Refused("the files cannot be copied")
        return number

    def restore(self, number: int) -> Generator[Effect, Reply, None]:
        """Raises Refused where there is no such snapshot: the last few are kept."""
        self._charge()
        if not (yield Restore(number)):
            raise Refused(f"there is no snapshot {number}, or the files cannot be put back")

    def _quiet(self, command: str) -> Generator[Effect, Reply, Execution]:
        """A command of ours, in the shell's own folder."""
        self._charge()
        folder = self._session.folder
        line = f"cd -- {shlex.quote(folder)} 2>/dev/null; {command}" if folder else command
        return (yield from self._act(("/bin/sh", "-c", line), self.budget.action_s))

    def _act(self, argv: tuple[str, ...], wall_s: float) -> Generator[Effect, Reply, Execution]:
        done = cast(Execution, (yield Act(argv, min(wall_s, self.budget.seconds - self.seconds))))
        self.seconds += done.wall_s
        return done

    def _charge(self) -> None:
        if self.actions >= self.budget.actions:
            raise Exhausted("no actions are left")
        if self.seconds >= self.budget.seconds:
            raise Exhausted("no seconds are left")
        self.actions += 1

    # -- what only the host remembers --------------------------------------------------------------

    def note(self, name: str, text: str) -> None:
        """Raises Refused where the notes would grow beyond their bounds."""
        size = len(text.encode("utf-8", "replace"))
        if size > _NOTE_BYTES or len(name) > _NAME or (name not in self.notes and len(self.notes) >= _NOTES):
            raise Refused(f"notes are at most {_NOTES} of {_NOTE_BYTES} bytes")
        self.notes[name] = text

    def submit(self, paths: Sequence[str] | None = None) -> None:
        """End the rollout. Only the task's declared files are ever collected. Raises Refused for others."""
        if self.task.submission != WHOLE and (other := sorted(set(paths or ()) - set(self.task.submission))):
            raise Refused(f"{', '.join(other)}: the task asks for {', '.join(self.task.submission)}")
        self.submitted = True


def _check_path(path: str) -> None:
    if len(path) > _PATH:
        raise Refused(f"a path is at most {_PATH} characters")


def _sayable(text: str) -> str:
    """Without what no encoding has: half a surrogate pair, say, out of a model's JSON."""
    return text.encode("utf-8", "replace").decode()


def short(text: str, limit: int) -> str:
    """Beginning and end, and how much is missing between."""
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]}\n... {len(text) - 2 * half} characters left out ...\n{text[-half:]}"


def _key(messages: Sequence[Mapping[str, Any]], tools: Sequence[Schema]) -> str:
    shown = [tool["function"]["name"] for tool in tools]
    return json.dumps([shown, *([m["role"], m["content"]] for m in messages)])
