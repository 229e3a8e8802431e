"""Agents that are not ours as arms: Harbor runs them, in its own Python, against our model.

    task ──(its public half, as a Harbor directory)──▶ Harbor: agent ──▶ environment
    sampler ──▶ gateway ──(an address and a budget for each trial)──▲        │
    rollout ◀──(calls as sampled, files as they stand at the end)────────────┘

Harbor grades nothing here: what an agent leaves is a rollout like any other, so verifier, monitor and judge are the
same for all arms. The hidden half of a task never leaves this process.
"""

import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli_w

from bowerbird.config import HarborConfig
from bowerbird.inference.gateway import Gateway, Line
from bowerbird.inference.protocol import Sampler
from bowerbird.orchestrator.progress import Watcher
from bowerbird.rollout.desk import CACHES, MOST_BYTES, MOST_CHANGED, READ_BYTES
from bowerbird.rollout.prompts import as_assert
from bowerbird.sandbox import Collected
from bowerbird.sandbox.beneath import open_beneath
from bowerbird.sandbox.collect import collect_files
from bowerbird.sandbox.local import own_folders
from bowerbird.tasks.harbor import submission_note
from bowerbird.tasks.patch import is_control
from bowerbird.tasks.write import write_file
from bowerbird.types import WHOLE, ConfigError, Executable, Facts, Rollout, RunError, TaskError, TaskView

PREFIX = "harbor:"  # before the name of Harbor's agent, in the name of an arm
_LOCAL = "bowerbird.evals.harbor.environment:LocalEnvironment"
_MODEL = "openai/policy"  # the provider chooses the protocol, and the gateway does not care about the name
# What an arm with a budget of tokens wants: no second budget for summaries, and no recording tools that are fetched.
_OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "terminus-2": {"enable_summarize": False, "record_terminal_session": False, "suppress_max_turns_warning": True}
}
# What an agent raises when it has had its share: whatever else goes wrong is the machinery's.
_OWN_ENDS = (
    "ContextLength",
    "ContextWindow",
    "OutputLength",
    "OutputToken",
    "AgentTimeoutError",
    "NonZeroAgentExitCode",
)
_LONGEST_S = 6 * 3600.0  # tokens bound an agent's work; this is for one that hangs
INSTALL = (
    "set harbor.python to the interpreter of an environment with `harbor` and this package (Python 3.12: "
    "`uv venv --python 3.12 HARBOR && uv pip install --python HARBOR harbor PATH`, PATH being this project's folder)"
)


@dataclass(frozen=True, slots=True)
class Guest:
    """One trial to come."""

    rollout_id: str
    scaffold_id: str
    task: TaskView
    agent: str  # as Harbor names it
    tokens: int
    call_tokens: int
    seed: int


def refuse_guests(settings: HarborConfig, tasks: Iterable[TaskView]) -> None:
    """Raises ConfigError where Harbor's Python is not there, TaskError for a task that its environment cannot give: an
    image or packages where there are none."""
    if not settings.python or shutil.which(settings.python) is None:
        raise ConfigError(f"arms of Harbor's need its Python, and there is none at {settings.python!r}: {INSTALL}")
    for task in tasks:
        if task.requirements or (settings.environment == "local" and task.image):
            wanted = "packages of its own" if task.requirements else "a container image"
            raise TaskError(f"{task.task_id} needs {wanted}, which Harbor's agents are not given here: no such arm")


def run_guests(
    guests: Sequence[Guest], sampler: Sampler, settings: HarborConfig, hide: Sequence[Path], watcher: Watcher
) -> list[Rollout]:
    """All of them, in order. Nobody else may use the sampler meanwhile. In our own sandbox the folders in `hide`, and
    this package's, look empty.

    Raises ConfigError and TaskError as `refuse_guests` does, RunError where Harbor fails as a whole.
    """
    refuse_guests(settings, [guest.task for guest in guests])
    with tempfile.TemporaryDirectory(prefix="bowerbird-") as folder, closing(_gateway(sampler, settings)) as gateway:
        root, environment = Path(folder), _environment(settings, hide)
        places = _written(root / "tasks", guests)
        pairs = [(guest, gateway.line(guest.tokens, guest.seed, guest.call_tokens)) for guest in guests]
        trials = [_trial(root, places[g.task.task_id], g, line, settings) | environment for g, line in pairs]
        errors: dict[str, str | None] = {}
        watcher.phase("agents", 0, len(guests))
        for name, error in _run(trials, settings):
            errors[name] = error
            watcher.phase("agents", len(errors), len(guests))
        return [_rollout(root, guest, line, errors.get(guest.rollout_id, "it never ended")) for guest, line in pairs]


def _environment(settings: HarborConfig, hide: Sequence[Path]) -> dict[str, Any]:
    if settings.environment != "local":
        return {"environment": {"type": settings.environment}}
    hidden = [str(path.resolve()) for path in (*hide, *own_folders()) if path.is_dir()]
    return {"environment": {"import_path": _LOCAL, "kwargs": {"hide": hidden}}}


def _written(folder: Path, guests: Sequence[Guest]) -> dict[str, Path]:
    """A directory for each task, once for all its trials."""
    tasks = {guest.task.task_id: guest.task for guest in guests}
    places = {task_id: folder / str(number) for number, task_id in enumerate(tasks)}
    for task_id, task in tasks.items():
        write_public(places[task_id], task)
    return places


def _gateway(sampler: Sampler, settings: HarborConfig) -> Gateway:
    try:
        return Gateway(sampler, settings.address)
    except OSError as error:
        raise ConfigError(f"harbor.address: cannot listen on {settings.address}: {error.strerror}") from error


def _trial(root: Path, place: Path, guest: Guest, line: Line, settings: HarborConfig) -> dict[str, Any]:
    """As Harbor's TrialConfig has it."""
    whole, folder = guest.task.submission == WHOLE, folder_of(guest.task)
    options = {**_OPTIONS.get(guest.agent, {}), **settings.options.get(guest.agent, {})}
    return {
        "trial_name": guest.rollout_id,
        "trials_dir": str(root / "trials"),
        "task": {"path": str(place)},
        "agent": {"name": guest.agent, "model_name": _MODEL, "base_url": line.url, "kwargs": options},
        "verifier": {"disable": True},
        "artifacts": [folder] if whole else [f"{folder}/{name}" for name in guest.task.submission],
    }


def folder_of(task: TaskView) -> str:
    """Where an agent works: where the task's image has its files, if it has one."""
    return task.folder or "/app"


def write_public(root: Path, task: TaskView) -> None:
    """What an agent may know of a task, as a Harbor directory that nobody can grade with. Raises TaskError."""
    notes = [task.instruction]
    if task.entry_point and task.examples:
        notes.append("It must satisfy:\n" + "\n".join(as_assert(task.entry_point, case) for case in task.examples))
    if task.submission != WHOLE:
        notes.append(submission_note(task.submission))
    if task.visible:
        notes.append(f"`{' '.join(task.visible)}` runs the tests that there are.")
    image, folder = task.image or "python:3.12-slim", folder_of(task)
    files: dict[str, str | bytes] = {
        "task.toml": tomli_w.dumps({"schema_version": "1.4", "agent": {"timeout_sec": _LONGEST_S}}),
        "instruction.md": "\n\n".join(notes) + "\n",
        "environment/Dockerfile": f"FROM {image}\nWORKDIR {folder}\nCOPY workspace/ {folder}/\n",
        "environment/workspace/.keep": "",
        "tests/test.sh": Executable(b"#!/bin/sh\nexit 1\n"),
    }
    files |= {f"environment/workspace/{name}": data for name, data in task.workspace.items()}
    for name, data in files.items():
        write_file(root, name, data)


def _run(trials: Sequence[Mapping[str, Any]], settings: HarborConfig) -> Iterator[tuple[str, str | None]]:
    """Each trial that has ended, with what went wrong. Raises RunError."""
    told = os.environ | {"OPENAI_API_KEY": "none", "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    command = [settings.python, "-m", "bowerbird.evals.harbor.trials"]
    with tempfile.TemporaryFile() as said:
        # a session of its own: Ctrl-C reaches it from here, so that it has time to take its environments down
        harbor = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, env=told, start_new_session=True
        )
        assert harbor.stdin is not None
        assert harbor.stdout is not None
        try:
            with suppress(BrokenPipeError), harbor.stdin as stdin:  # where it has died it says why, below
                stdin.write(json.dumps({"at_once": settings.at_once, "trials": trials}).encode())
            for line in harbor.stdout:
                found = json.loads(line)
                yield found["name"], found["error"]
            harbor.wait()
        finally:
            _end(harbor)
        if harbor.returncode != 0:
            said.seek(max(0, said.seek(0, os.SEEK_END) - 1500))
            raise RunError(f"Harbor ended with {harbor.returncode}: {said.read().decode(errors='replace')}\n{INSTALL}")


def _end(harbor: "subprocess.Popen[bytes]") -> None:
    if harbor.poll() is None:
        harbor.send_signal(signal.SIGINT)
        try:
            harbor.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(harbor.pid, signal.SIGKILL)
            harbor.wait()
    if harbor.stdout is not None:
        harbor.stdout.close()


def _rollout(root: Path, guest: Guest, line: Line, error: str | None) -> Rollout:
    """What an agent left, and whose fault it is if something failed."""
    task = guest.task
    found = root / "trials" / guest.rollout_id / "artifacts" / folder_of(task).lstrip("/")
    collected = _whole(found, task) if task.submission == WHOLE else _collected(found, task.submission, task)
    failed = line.broken or (error if error is not None and not error.startswith(_OWN_ENDS) else None)
    return Rollout(
        rollout_id=guest.rollout_id,
        task_id=task.task_id,
        scaffold_id=guest.scaffold_id,
        calls=tuple(line.calls),
        submission=collected.files,
        anomalies=collected.anomalies,
        facts=Facts(),
        failure=None if any(data.strip() for data in collected.files.values()) else "no_code",
        infra_error=f"{guest.agent}: {failed}" if failed is not None else None,
        log=({"event": "agent", "name": guest.agent, "error": error},),
    )


def _collected(folder: Path, names: Sequence[str], task: TaskView) -> Collected:
    found = collect_files(lambda name: _open(folder, name), names, READ_BYTES)
    # not all of Harbor's environments hand modes out: what was executable stays so
    kept = {n: Executable(found.files[n]) for n in found.files if isinstance(task.workspace.get(n), Executable)}
    return Collected({**found.files, **kept}, found.anomalies)


def _whole(folder: Path, task: TaskView) -> Collected:
    """What differs from the task's files. As with our own agents: what cannot be taken counts as unchanged, and too
    much is nothing."""
    changed: dict[str, bytes] = {}
    size = 0
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()):
        name = path.relative_to(folder).as_posix()
        if is_control(name) or not set(CACHES).isdisjoint(path.relative_to(folder).parts) or path.name == ".keep":
            continue
        data = _collected(folder, (name,), task).files.get(name)
        if data is not None and task.workspace.get(name) != data:
            changed[name], size = data, size + len(data)
        if len(changed) > MOST_CHANGED or size > MOST_BYTES:
            return Collected({})
    return Collected(changed)


def _open(folder: Path, name: str) -> int:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        return open_beneath(descriptor, name)
    finally:
        os.close(descriptor)
