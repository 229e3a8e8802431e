"""pytest as one file for a sandbox: the sources of the installed one, compiled by the Python inside.

A sandbox shows nothing of this process's packages, and should not: they are many, and the candidate's friends. So the
few packages that pytest is made of travel into the tests' sandbox as one archive, made once per process.
"""

import importlib.util
import io
import threading
import zipfile
from pathlib import Path

from bowerbird.sandbox.protocol import Limits, Sandbox
from bowerbird.types import InfraError

PACKAGES = ("_pytest", "pytest", "pluggy", "iniconfig", "packaging", "py", "exceptiongroup", "tomli")
OPTIONAL = frozenset({"py", "exceptiongroup", "tomli"})  # of some versions, on some Pythons
# pytest imports its colouring library at start; nothing here is ever coloured.
PYGMENTS = ("__init__", "formatters/__init__", "formatters/terminal", "lexer", "lexers/__init__", "lexers/diff")
_STAND_IN = "def __getattr__(name):\n    return type(name, (), {})\n"
_MAX_ARCHIVE = 32 << 20
# Compiled with hashes that nobody checks: an archive without sources needs no time stamps.
_COMPILE = """
import sys, zipfile
from importlib._bootstrap_external import _code_to_hash_pyc
with zipfile.ZipFile("sources.zip") as sources, zipfile.ZipFile("pytest.zip", "w", zipfile.ZIP_STORED) as out:
    for name in sources.namelist():
        code = compile(sources.read(name), name, "exec", dont_inherit=True, optimize=0)
        out.writestr(name + "c", bytes(_code_to_hash_pyc(code, bytes(8), False)))
sys.path.append("pytest.zip")
import pytest
"""
_made: dict[str, bytes] = {}
_lock = threading.Lock()


def pytest_archive(sandbox: Sandbox) -> bytes:
    """The archive for `sandbox`, to be put on `sys.path`. Made once per process and back end; about two seconds.

    Raises InfraError when pytest is not installed here, or does not work on the Python inside.
    """
    with _lock:
        if sandbox.name not in _made:
            _made[sandbox.name] = _make(sandbox)
        return _made[sandbox.name]


def _make(sandbox: Sandbox) -> bytes:
    limits = Limits(wall_s=120.0, cpu_s=120, file_bytes=_MAX_ARCHIVE)
    with sandbox.open({"sources.zip": _sources()}) as workspace:
        done = workspace.run(["python3", "-I", "-S", "-B", "-c", _COMPILE], limits=limits)
        archive = workspace.collect(["pytest.zip"], max_bytes=_MAX_ARCHIVE).files.get("pytest.zip")
    if done.exit_code != 0 or archive is None:
        said = (done.stderr.decode(errors="replace").strip().splitlines() or ["it said nothing"])[-1][:300]
        raise InfraError(f"the installed pytest does not work on the sandbox's python3 ({said}): install another")
    return archive


def _sources() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for package in PACKAGES:
            spec = importlib.util.find_spec(package)
            if spec is None and package in OPTIONAL:
                continue
            if spec is None or spec.origin is None:
                raise InfraError(f"pytest tasks need pytest, and {package} is missing here: pip install pytest")
            file = Path(spec.origin)
            if file.name != "__init__.py":
                archive.write(file, file.name)
                continue
            for source in sorted(file.parent.rglob("*.py")):
                archive.write(source, f"{package}/{source.relative_to(file.parent).as_posix()}")
        for name in (*PYGMENTS, "lexers/python", "util"):
            archive.writestr(f"pygments/{name}.py", _STAND_IN)
    return buffer.getvalue()
