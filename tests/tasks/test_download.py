"""Datasets by Harbor's own command. BOWERBIRD_HARBOR=/path/to/its/bin/harbor runs the real one too."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from bowerbird.cli import main
from bowerbird.tasks.katas import generate, write_pack

HARBOR = os.environ.get("BOWERBIRD_HARBOR", "")


def test_a_missing_harbor_says_how_to_get_it(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["tasks", "add", "x@1", str(tmp_path / "out"), "--harbor", "no-such-harbor"])
    assert done.exit_code != 0
    assert "uv tool install harbor" in done.output


def test_a_failing_harbor_is_an_error(tmp_path: Path) -> None:
    for command, said in (("false", "could not download"), ("true", "downloaded nothing")):
        done = CliRunner().invoke(main, ["tasks", "add", "x@1", str(tmp_path / "out"), "--harbor", command])
        assert done.exit_code != 0
        assert said in done.output


@pytest.mark.skipif(not HARBOR, reason="Harbor lives in an environment of its own: BOWERBIRD_HARBOR")
def test_a_dataset_of_a_registry(tmp_path: Path) -> None:
    source = tmp_path / "source"
    write_pack(source / "pack", generate(seed=1, count=2))
    for command in (["init", "-q"], ["add", "-A"], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "x"]):
        subprocess.run(["git", "-C", str(source), *command], check=True)
    commit = subprocess.check_output(["git", "-C", str(source), "rev-parse", "HEAD"], text=True).strip()
    place = {"git_url": f"file://{source}", "git_commit_id": commit}
    tasks = [{"name": path.name, "path": f"pack/{path.name}", **place} for path in (source / "pack").iterdir()]
    dataset = {"name": "mini", "version": "1.0", "description": "two", "tasks": tasks}
    (tmp_path / "registry.json").write_text(json.dumps([dataset]))
    options = ["--harbor", HARBOR, "--registry-path", str(tmp_path / "registry.json")]
    done = CliRunner().invoke(main, ["tasks", "add", "mini@1.0", str(tmp_path / "out"), *options])
    assert done.exit_code == 0, done.output
    assert f"2 tasks in {tmp_path / 'out' / 'mini'}" in done.output
