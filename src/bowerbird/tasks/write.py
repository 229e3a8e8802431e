"""Write oracle tasks as Harbor directories: `load_task` reads them back equal, and Harbor itself can run them."""

from collections.abc import Sequence
from importlib import resources
from pathlib import Path, PurePosixPath

import tomli_w

from bowerbird.tasks.cases import cases_to_json
from bowerbird.tasks.harbor import submission_note
from bowerbird.tasks.loaded import Loaded
from bowerbird.types import Executable, TaskError, mode_of

DOCKERFILE = "FROM python:3.12-slim\nWORKDIR /app\nCOPY examples.json /app/examples.json\n"
TEST_SH = b"""#!/bin/sh
# Harbor reads the reward from this file; Bowerbird grades tests/cases.json with its own verifier instead.
mkdir -p /logs/verifier
python3 -I /tests/check.py /app && reward=1 || reward=0
echo "$reward" > /logs/verifier/reward.txt
"""
SOLVE_SH = b"#!/bin/sh\ncp /solution/solution.py /app/solution.py\n"


def write_task(path: str | Path, task: Loaded, *, solution: str, cheats: Sequence[str] = ()) -> None:
    """Write one oracle task of a single file `solution.py` into the directory `path`, which is made.

    Raises TaskError for other kinds of task, and when `path` exists and is not empty.
    """
    root, view, spec = Path(path), task.view, task.spec
    if spec.kind != "oracle" or view.submission != ("solution.py",) or spec.files:
        raise TaskError(f"task {view.task_id}: only oracle tasks of one file, solution.py, can be written")
    refuse_filled(root)
    files: dict[str, str | bytes] = {
        "task.toml": tomli_w.dumps(_settings(task)),
        "instruction.md": f"{view.instruction}\n\n{submission_note(view.submission)}\n",
        "environment/Dockerfile": DOCKERFILE + ("COPY workspace/ /app/\n" if view.workspace else ""),
        "environment/examples.json": cases_to_json(view.examples),
        "tests/cases.json": cases_to_json(spec.cases),
        "tests/entry_point": view.entry_point + "\n",
        "tests/check.py": _check_source(),
        "tests/test.sh": Executable(TEST_SH),
        "solution/solution.py": solution,
        "solution/solve.sh": Executable(SOLVE_SH),
    }
    files |= {f"solution/cheats/cheat_{i:02}.py": text for i, text in enumerate(cheats)}
    files |= {f"environment/workspace/{name}": data for name, data in view.workspace.items()}
    for name, data in files.items():
        write_file(root, name, data)


def _settings(task: Loaded) -> dict[str, object]:
    view, spec = task.view, task.spec
    level = "easy" if view.difficulty < 0.3 else "medium" if view.difficulty < 0.6 else "hard"
    settings: dict[str, object] = {
        "schema_version": "1.4",
        "metadata": {
            "category": view.category,
            "difficulty": level,
            "bowerbird": {
                "kind": "oracle",
                "task_id": view.task_id,
                "entry_point": view.entry_point,
                "category": view.category,
                "difficulty": view.difficulty,
                "submission": list(view.submission),
                "timeout_s": spec.timeout_s,
            },
        },
        "verifier": {"timeout_sec": 60.0},
        "agent": {"timeout_sec": 600.0},
        "environment": {"build_timeout_sec": 600.0, "cpus": 1, "memory_mb": 1024, "storage_mb": 1024},
    }
    return settings


def _check_source() -> str:
    return resources.files("bowerbird.tasks").joinpath("harbor_check.py").read_text(encoding="utf-8")


def refuse_filled(folder: Path) -> None:
    """Raises TaskError where the folder holds anything."""
    if folder.exists() and any(folder.iterdir()):
        raise TaskError(f"{folder}: not empty; choose a new directory")


def write_file(root: Path, name: str, data: str | bytes) -> None:
    """One file of a task directory. Raises TaskError."""
    parts = PurePosixPath(name)
    if parts.is_absolute() or ".." in parts.parts:
        raise TaskError(f"file name {name!r} leaves the task directory")
    path = root / parts
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        if isinstance(data, Executable):
            path.chmod(mode_of(data))
    except OSError as error:
        raise TaskError(f"{path}: cannot be written ({error.strerror})") from None
