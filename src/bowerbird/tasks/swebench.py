"""SWE-bench instances as task directories: the repository at its base commit, and the tests of the pull request.

A task is graded by the hardened pytest in one process with the candidate's code (`isolation = "none"`), without the
benchmark's containers: FAIL_TO_PASS and PASS_TO_PASS must all be seen passing. So it holds only where the tests run on
the sandbox's Python with wheels from PyPI; `bowerbird tasks check` tells of which instances that is true. Official
figures come from the official harness, on predictions that `bowerbird eval --predictions` writes.
"""

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import tomli_w

from bowerbird.tasks.fields import read_text
from bowerbird.tasks.write import refuse_filled, write_file
from bowerbird.types import JsonValue, TaskError, mode_of, with_mode

TEXTS = ("instance_id", "repo", "base_commit", "patch", "test_patch", "problem_statement")
LISTS = ("FAIL_TO_PASS", "PASS_TO_PASS")
TIMEOUT_S = 900.0
_MOVED = re.compile(r"^(?:rename|copy) from (.+)$", re.MULTILINE)
_TESTS = {"tests", "test", "testing"}


@dataclass(frozen=True, slots=True)
class Instance:
    """One row of the dataset."""

    instance_id: str
    repo: str  # "owner/name"
    base_commit: str
    patch: str
    test_patch: str
    problem_statement: str
    tests: tuple[str, ...]  # ids, FAIL_TO_PASS before PASS_TO_PASS


def read_instances(path: Path) -> list[Instance]:
    """A .jsonl file, or a .json one with a list. Raises TaskError."""
    text = read_text(path)
    try:
        rows = json.loads(text) if path.suffix == ".json" else [json.loads(line) for line in text.splitlines() if line]
    except ValueError as error:
        raise TaskError(f"{path}: not JSON ({error}); save the dataset as .jsonl, a row a line") from None
    if not isinstance(rows, list) or not rows:
        raise TaskError(f"{path}: no instances in it")
    return [_instance(row, f"{path}, row {number}") for number, row in enumerate(rows, 1)]


def _instance(row: Mapping[str, JsonValue], where: str) -> Instance:
    if missing := [name for name in (*TEXTS, *LISTS) if name not in row]:
        raise TaskError(f"{where}: {', '.join(missing)} is missing; an instance has {', '.join(TEXTS + LISTS)}")
    try:
        lists = [json.loads(row[name]) if isinstance(row[name], str) else row[name] for name in LISTS]
        tests = tuple(dict.fromkeys(str(test) for each in lists for test in each))
    except (ValueError, TypeError):
        raise TaskError(f"{where}: FAIL_TO_PASS and PASS_TO_PASS must be lists of test ids") from None
    return Instance(**{name: str(row[name]) for name in TEXTS}, tests=tests)


def write_instance(folder: Path, instance: Instance, clone: Path, requirements: str = "") -> None:
    """Write one instance as a task directory. `clone` is a git repository that has the base commit.

    Raises TaskError where it cannot be graded here, where git fails, and when `folder` is not empty.
    """
    name = instance.instance_id
    if odd := next((test for test in instance.tests if "::" not in test), None):
        raise TaskError(f"{name}: {odd!r} is no id of pytest's; this repository has a test runner of its own")
    refuse_filled(folder)
    base = checkout(clone, instance.base_commit)
    tests = {path: data for path, data in base.items() if is_test(path)} | _patched(base, instance.test_patch, name)
    gone = {test.partition("::")[0] for test in instance.tests} - set(tests)
    if gone:
        raise TaskError(f"{name}: {min(gone)} is not there after the pull request's tests were applied")
    files: dict[str, bytes] = {
        "task.toml": tomli_w.dumps(_settings(instance, bool(requirements))).encode(),
        "instruction.md": f"{instance.problem_statement.strip()}\n".encode(),
    }
    if requirements:
        files["environment/requirements.txt"] = requirements.encode()
    files |= {f"environment/workspace/{path}": data for path, data in base.items()}
    files |= {f"tests/{path}": data for path, data in tests.items()}
    files |= {f"solution/files/{path}": data for path, data in _patched(base, instance.patch, name).items()}
    for path, data in files.items():
        write_file(folder, path, data)


def _settings(instance: Instance, requires: bool) -> dict[str, object]:
    ours: dict[str, object] = {
        "kind": "pytest",
        "isolation": "none",
        "task_id": instance.instance_id,
        "category": instance.repo,
        "submission": ["*"],
        "git": True,
        "timeout_s": TIMEOUT_S,
        "expected_tests": list(instance.tests),
    }
    if requires:
        ours["requirements"] = "requirements.txt"
    return {"schema_version": "1.4", "metadata": {"category": instance.repo, "bowerbird": ours}}


def is_test(path: str) -> bool:
    """Whether a file is one of the tests', by its name."""
    pure = PurePosixPath(path)
    named = pure.name == "conftest.py" or pure.name.startswith("test_") or pure.stem.endswith("_test")
    return bool(_TESTS & set(pure.parts[:-1])) or (named and pure.suffix == ".py")


def checkout(clone: Path, commit: str) -> dict[str, bytes]:
    """The regular files of a commit, some `Executable`; links and submodules are left out. Raises TaskError."""
    listed = _git(["-C", str(clone), "ls-tree", "-r", "-z", commit], f"{clone} has no commit {commit}").split(b"\0")
    entries = [line.partition(b"\t") for line in listed if line.startswith(b"100")]
    names = b"".join(head.split()[2] + b"\n" for head, _, _ in entries)
    stream = _git(["-C", str(clone), "cat-file", "--batch"], f"cannot read {commit} of {clone}", names)
    files, at = {}, 0
    for head, _, path in entries:
        end = stream.index(b"\n", at)
        size = int(stream[at:end].split()[2])
        name, mode = path.decode("utf-8", "surrogateescape"), int(head.split()[0], 8)
        files[name] = with_mode(stream[end + 1 : end + 1 + size], mode)
        at = end + size + 2
    return files


def _patched(base: Mapping[str, bytes], patch: str, name: str) -> dict[str, bytes]:
    """The files that a patch leaves, of those it names; removed ones are in neither."""
    if not patch.strip():
        return {}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        said = _git(["apply", "--numstat", "-z", "-"], f"{name}: its patch is none", patch.encode(), place)
        listed = said.split(b"\0")
        touched = [fields[2].decode() for line in listed if len(fields := line.split(b"\t")) == 3 and fields[2]]
        touched += _MOVED.findall(patch)  # of those git names only where they went
        for path in touched:
            if path in base:
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_bytes(base[path])
                (folder / path).chmod(mode_of(base[path]))
        _git(["apply", "-"], f"{name}: its patch does not apply to the base commit", patch.encode(), place)
        there = [path for path in touched if (folder / path).is_file()]
        return {path: with_mode((folder / path).read_bytes(), (folder / path).stat().st_mode) for path in there}


def _git(arguments: Sequence[str], problem: str, stdin: bytes = b"", folder: str | None = None) -> bytes:
    try:
        command = ["git", "-c", "core.fsmonitor=false", *arguments]
        alone = os.environ | ({"GIT_CEILING_DIRECTORIES": str(Path(folder).parent)} if folder else {})
        return subprocess.run(command, input=stdin, capture_output=True, check=True, cwd=folder, env=alone).stdout
    except FileNotFoundError:
        raise TaskError("git is missing: apt install git") from None
    except subprocess.CalledProcessError as error:
        raise TaskError(f"{problem}: {error.stderr.decode(errors='replace').strip()[-300:]}") from None


def clone_of(repo: str, clones: Path, source: str) -> Path:
    """The git repository of "owner/name" below `clones`, cloned from `source` if missing. Raises TaskError."""
    places = [clones / repo, clones / repo.replace("/", "__"), clones / f"{repo.replace('/', '__')}.git"]
    found = next((place for place in places if place.is_dir()), None)
    if found is None:
        found = places[2]
        found.parent.mkdir(parents=True, exist_ok=True)
        _git(["clone", "--quiet", "--bare", f"{source.rstrip('/')}/{repo}", str(found)], f"cannot clone {repo}")
    return found
