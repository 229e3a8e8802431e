"""The wheel is whole, and what the project promises about itself holds."""

import importlib.metadata
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    out = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)]
    result = subprocess.run(build, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    (path,) = out.glob("*.whl")
    return zipfile.ZipFile(path)


def test_wheel_holds_every_file_of_the_package(wheel: zipfile.ZipFile) -> None:
    source = ROOT / "src"
    expected = {
        path.relative_to(source).as_posix()
        for path in (source / "bowerbird").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert expected - set(wheel.namelist()) == set()
    assert any(name.endswith(".bpf") for name in expected), "the seccomp filters are data of the package"


def test_wheel_holds_nothing_else(wheel: zipfile.ZipFile) -> None:
    tops = {name.split("/")[0] for name in wheel.namelist()}
    assert tops == {"bowerbird", next(top for top in tops if top.endswith(".dist-info"))}


def test_core_dependencies_load_no_torch(wheel: zipfile.ZipFile) -> None:
    (name,) = [name for name in wheel.namelist() if name.endswith("METADATA")]
    metadata = wheel.read(name).decode()
    core = [line for line in metadata.splitlines() if line.startswith("Requires-Dist:") and "extra ==" not in line]
    assert core
    assert not [line for line in core if any(heavy in line for heavy in ("torch", "transformers", "vllm", "ray"))]


def test_extras_and_script_are_declared() -> None:
    assert set(PROJECT["project"]["optional-dependencies"]) == {
        "train",
        "vllm",
        "ray",
        "harbor",
        "viewer",
        "bench",
        "dev",
    }
    (script,) = importlib.metadata.entry_points(group="console_scripts", name="bowerbird")
    assert callable(script.load())


def test_no_package_index_is_named_in_the_repository() -> None:
    files = [ROOT / "Makefile", ROOT / "pyproject.toml", ROOT / "scripts/setup", ROOT / ".ci/run"]
    for file in files:
        text = file.read_text()
        assert "index-url" not in text, file
        assert "find-links" not in text, file


@pytest.mark.parametrize("script", ["scripts/setup", ".ci/run"])
def test_scripts_parse_and_may_be_executed(script: str) -> None:
    path = ROOT / script
    assert path.stat().st_mode & 0o111
    shell = "bash" if path.read_text().startswith("#!/usr/bin/env bash") else "sh"
    assert subprocess.run([shell, "-n", str(path)]).returncode == 0


CORE_ALONE = """
import importlib.abc, sys

class NoExtras(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"torch", "transformers", "peft", "llguidance", "safetensors", "gguf", "matplotlib"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, NoExtras())
sys.path.insert(0, sys.argv[1])
import bowerbird
assert bowerbird.__file__.startswith(sys.argv[1]), bowerbird.__file__
from bowerbird.rewards import OracleVerifier
from bowerbird.sandbox import open_sandbox
from bowerbird.tasks.katas import generate
(kata,) = generate(seed=1, count=1)
verifier = OracleVerifier(open_sandbox())
assert verifier.verify(kata.spec, {"solution.py": kata.solution.encode()}).reward == 1.0
from bowerbird.cli import main
main(["--help"], prog_name="bowerbird")
"""


@pytest.mark.sandbox
def test_the_wheel_grades_a_task_without_any_extra(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    wheel.extractall(tmp_path)
    command = [sys.executable, "-c", CORE_ALONE, str(tmp_path)]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert "Usage: bowerbird" in result.stdout
