"""The workspace of one rollout: opened at its first action, gone before anything is graded.

A scaffold that is a program runs in a second sandbox, with nothing in it: it speaks with the host and with nobody else.
"""

import os
from collections.abc import Mapping, Sequence
from math import ceil

from bowerbird.rollout.effects import Act, AtDesk, Heard, Read, Reply, Restore, Snapshot, Speak, Write
from bowerbird.sandbox import Base, Collected, Dialogue, Execution, Limits, Sandbox, Workspace
from bowerbird.tasks.patch import is_control
from bowerbird.types import WHOLE, Facts, SandboxError, TaskView

PROGRAM_LIMITS = Limits(wall_s=10.0, cpu_s=10, memory_bytes=1 << 29, file_bytes=0, processes=1, output_bytes=1 << 20)
READ_BYTES = 1 << 20
MOST_CHANGED, MOST_BYTES, _LISTING_BYTES = 2_000, 32 << 20, 16 << 20
CACHES = ("__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache")
_PRUNED = " -o ".join(f"-name {name}" for name in (*CACHES, ".git"))
_LISTING = f"find . \\( {_PRUNED} \\) -prune -o -type f -print0"


def base_of(task: TaskView) -> Base:
    """What every workspace of a task starts from."""
    return Base(task.workspace, task.git, task.requirements, task.image, task.folder)


class Desk:
    """Where a rollout acts. The task's own files are protected, save those it is asked to write.

    `program` is the command that runs the scaffold's program, where it is one.
    """

    def __init__(self, sandbox: Sandbox, task: TaskView, program: Sequence[str] = ()) -> None:
        self._sandbox, self._task, self._program = sandbox, task, program
        self._workspace: Workspace | None = None
        self._cell: Workspace | None = None
        self._dialogue: Dialogue | None = None

    def do(self, effect: AtDesk) -> Reply:
        """Raises SandboxError when a sandbox is lost; nothing that a model did raises."""
        match effect:
            case Act():
                return self.act(effect)
            case Read():
                return self._opened().collect(effect.paths, max_bytes=READ_BYTES)
            case Write():
                return self._write(effect)
            case Snapshot():
                return self._opened().snapshot()
            case Restore():
                return self._opened().restore(effect.number)
            case Speak():
                return self._speak(effect)

    def act(self, action: Act) -> Execution:
        """Run one command."""
        limits = Limits(wall_s=action.wall_s, cpu_s=ceil(action.wall_s), output_bytes=action.output_bytes)
        return self._opened().run(action.argv, limits=limits)

    def leave(self) -> tuple[Collected, Facts]:
        """What stands in the workspace under the declared names, or differs where the task takes all, and what was seen
        there and in the program's own sandbox; then both are gone. A removed file is no part of it."""
        try:
            self._hang_up()
            facts = self._cell.watched() if self._cell is not None else Facts()
            if self._workspace is None:
                return Collected({}), facts
            return self._submitted(self._workspace), self._workspace.watched() | facts
        finally:
            self.close()

    def standing(self) -> Collected:
        """See `standing`."""
        return standing(self._opened(), self._task.workspace, most=MOST_CHANGED, most_bytes=MOST_BYTES)

    def _submitted(self, workspace: Workspace) -> Collected:
        if self._task.submission != WHOLE:
            return workspace.collect(self._task.submission)
        found, given = self.standing(), self._task.workspace  # too much is nothing, and no objection
        return Collected({name: data for name, data in found.files.items() if given.get(name) != data})

    def close(self) -> None:
        """Give everything up. Safe to call again."""
        self._hang_up()
        for workspace in (self._workspace, self._cell):
            if workspace is not None:
                workspace.close()
        self._workspace = self._cell = None

    def _opened(self) -> Workspace:
        if self._workspace is None:
            whole = self._task.submission == WHOLE
            protected = set() if whole else set(self._task.workspace) - set(self._task.submission)
            self._workspace = self._sandbox.open({}, protected=protected, base=base_of(self._task))
        return self._workspace

    def _write(self, effect: Write) -> bool:
        workspace = self._opened()
        try:
            workspace.write(effect.path, effect.data)
        except SandboxError:  # a path that leads out, or through a link: the model's own affair
            return False
        return True

    def _speak(self, effect: Speak) -> Heard:
        if self._dialogue is None:
            self._cell = self._sandbox.open({})
            self._dialogue = Dialogue(self._cell, self._program, PROGRAM_LIMITS)
        line = self._dialogue.turn(effect.line)
        return Heard(line) if line is not None else Heard(None, self._hang_up())

    def _hang_up(self) -> Execution | None:
        if self._dialogue is None:
            return None
        dialogue, self._dialogue = self._dialogue, None
        return dialogue.close()


def standing(workspace: Workspace, given: Mapping[str, bytes], *, most: int, most_bytes: int) -> Collected:
    """All files in a workspace that began with `given`, caches and version control left out. One of these that cannot
    be taken (it has become a link, or too large) counts as unchanged: only what is really gone is gone. With an anomaly
    and nothing else where over `most` files or `most_bytes` changed, or there is too much to look through."""
    limits = Limits(wall_s=60.0, cpu_s=60, output_bytes=_LISTING_BYTES)
    done = workspace.run(("/bin/sh", "-c", _LISTING), limits=limits)
    if done.exit_code != 0 or done.truncated:
        return Collected({}, ("the workspace: too much to look through",))
    listed = {os.fsdecode(name).removeprefix("./") for name in done.stdout.split(b"\0") if name}
    new = sorted(name for name in listed - set(given) if not is_control(name))
    files: dict[str, bytes] = {}
    changed = size = 0
    for name in (*given, *new):  # one by one: sparse files are large and take no room on the disk
        found = workspace.collect((name,), max_bytes=READ_BYTES)
        before, now = given.get(name), found.files.get(name)
        if found.anomalies or now == before:
            now = before
        elif now is not None:
            changed, size = changed + 1, size + len(now)
        if changed > most or size > most_bytes:
            return Collected({}, (f"the workspace: over {most} files or {most_bytes >> 20} MiB changed",))
        if now is not None:
            files[name] = now
    return Collected(files)
