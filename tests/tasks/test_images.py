"""Tasks for images of their own. The whole way runs where BOWERBIRD_ENGINES names engines as in
tests/sandbox/test_container.py."""

import os
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from bowerbird.cli import main
from bowerbird.config import load_config
from bowerbird.evals.session import task_sets
from bowerbird.rewards.verifiers import make_verifier
from bowerbird.rollout.desk import Desk
from bowerbird.rollout.effects import Act, Write
from bowerbird.sandbox import open_sandbox
from bowerbird.sandbox.engine import command_of
from bowerbird.tasks import load_task, load_tasks
from bowerbird.tasks.images import imaged_task, write_imaged
from bowerbird.types import WHOLE, Executable, TaskError

ENGINES = os.environ.get("BOWERBIRD_ENGINES", "").split()
engines = pytest.mark.parametrize("engine", ENGINES or [pytest.param("none", marks=pytest.mark.skip("no engine"))])

TEST_SH = """#!/bin/sh
cd /app && test "$(sh ./greet.sh)" = "hello world" && test -e /opt/of-the-image && r=1 || r=0
echo $r > /logs/verifier/reward.txt
"""


def harbor_task(root: Path, settings: str = "", dockerfile: str = "FROM scratch\n") -> Path:
    files = {
        "task.toml": f'[metadata]\ncategory = "shell"\ndifficulty = "easy"\n[verifier]\ntimeout_sec = 60.0\n{settings}',
        "instruction.md": "/app/greet.sh must print hello world.\n",
        "environment/Dockerfile": dockerfile,
        "tests/test.sh": TEST_SH,
        "solution/solve.sh": "#!/bin/sh\ncd /app && sed -i s/wrold/world/ greet.sh\n",
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def test_what_needs_more_than_one_image_is_refused(tmp_path: Path) -> None:
    assert imaged_task(harbor_task(tmp_path / "a", '[environment]\ndocker_image = "x:1"\n'))[1] == "x:1"
    assert imaged_task(harbor_task(tmp_path / "b"))[1] == ""
    (harbor_task(tmp_path / "c") / "environment" / "docker-compose.yaml").touch()
    with pytest.raises(TaskError, match="starts several containers"):
        imaged_task(tmp_path / "c")
    (harbor_task(tmp_path / "d") / "environment" / "Dockerfile").unlink()
    with pytest.raises(TaskError, match="neither"):
        imaged_task(tmp_path / "d")
    with pytest.raises(TaskError, match="environment of the verifier's own"):
        imaged_task(harbor_task(tmp_path / "e", "[verifier.environment]\n"))


def test_a_task_written_anew_names_its_image(tmp_path: Path) -> None:
    root = harbor_task(tmp_path / "from")
    files = {"greet.sh": b"a", "tool": Executable(b"a")}
    write_imaged(tmp_path / "to", root, "x@sha256:1", "/app", files, {"greet.sh": b"b"}, git=True)
    view, spec = (task := load_task(tmp_path / "to")).view, task.spec
    assert (view.image, view.folder, view.git, view.submission) == ("x@sha256:1", "/app", True, WHOLE)
    assert (spec.kind, spec.image, spec.folder, spec.timeout_s) == ("script", "x@sha256:1", "/app", 60.0)
    assert view.workspace == files
    assert (view.category, view.difficulty, view.instruction) == (
        "shell",
        0.25,
        "/app/greet.sh must print hello world.",
    )
    assert spec.files["tests/test.sh"].decode() == TEST_SH
    assert not any(name.startswith("solution") for name in spec.files)
    with pytest.raises(TaskError, match="not empty"):
        write_imaged(tmp_path / "to", root, "x", "/app", {}, {}, git=False)


@pytest.mark.parametrize(
    ("ours", "match"),
    [
        ('kind = "oracle"\nimage = "x"', "only a task of kind 'script'"),
        ('kind = "script"\nimage = "x"\nfolder = "app"', "absolute path"),
        ('kind = "script"\nimage = "x"\nfolder = "/"', "absolute path"),
        ('kind = "script"\nfolder = "/app"', "absolute path"),
    ],
)
def test_bad_settings_are_refused(tmp_path: Path, ours: str, match: str) -> None:
    if "oracle" in ours:
        ours += '\nentry_point = "f"'
    root = harbor_task(tmp_path / "t", f"[metadata.bowerbird]\n{ours}\n")
    with pytest.raises(TaskError, match=match):
        load_task(root)


def test_the_local_back_end_refuses_before_a_run_begins(tmp_path: Path) -> None:
    for name in ("a", "b"):
        root = harbor_task(tmp_path / "from" / name)
        write_imaged(tmp_path / "to" / name, root, "x:1", "/app", {"greet.sh": name.encode()}, {}, git=False)
        (tmp_path / "to" / name / "instruction.md").write_text(f"Mend {name}.")
    settings = [f"tasks.source={tmp_path / 'to'}", "tasks.train=1", "tasks.heldout=1", "scaffold.tier=plan"]
    with pytest.raises(TaskError, match=r"sandbox\.backend"):
        task_sets(load_config(None, [*settings, 'eval.arms=["react"]']))


@engines
def test_a_task_runs_and_is_graded_in_its_image(engine: str, tmp_path: Path) -> None:
    """Built from its Dockerfile, solved by its author's script, then by hand: what the image has is there, what was
    changed is graded, and neither its history nor the host's files are."""
    base = os.environ.get("BOWERBIRD_IMAGE", "python:3.12-slim")
    lines = [
        f"FROM {base}",
        "RUN mkdir -p /app/.git && echo 'echo hello wrold' > /app/greet.sh && chmod 755 /app/greet.sh",
        "RUN ln -s greet.sh /app/link && echo the-future > /app/.git/secret && touch /opt/of-the-image",
        "WORKDIR /app",
    ]
    harbor_task(tmp_path / "from" / "greet", dockerfile="\n".join(lines) + "\n")
    ran = CliRunner().invoke(
        main, ["tasks", "images", str(tmp_path / "from"), str(tmp_path / "to"), "--backend", engine]
    )
    assert ran.exit_code == 0, ran.output
    assert "wrote 1 of 1" in ran.output
    checked = CliRunner().invoke(main, ["tasks", "check", str(tmp_path / "to"), "--backend", engine])
    assert checked.exit_code == 0, checked.output
    (task,) = load_tasks(tmp_path / "to").views.values()
    spec = load_tasks(tmp_path / "to").spec(task.task_id)
    assert task.image.startswith(("bowerbird-task:", "localhost/bowerbird-task"))
    assert task.workspace == {"greet.sh": Executable(b"echo hello wrold\n")}
    sandbox = open_sandbox(engine)
    desk = Desk(sandbox, task)
    seen = desk.act(Act(("sh", "-c", "pwd; ls -A . /work; ./link; cat .git/secret; ls /opt"), 30.0)).stdout
    assert seen.startswith(b"/app\n"), seen
    assert b"hello wrold" in seen
    assert b"of-the-image" in seen
    assert b"the-future" not in seen
    assert desk.do(Write("greet.sh", b"echo hello world\n"))
    collected, _ = desk.leave()
    assert collected.files == {"greet.sh": Executable(b"echo hello world\n")}
    verifier = make_verifier("task", sandbox)
    assert verifier.verify(spec, collected.files).reward == 1.0
    assert verifier.verify(spec, {"greet.sh": b"echo hello\n"}).reward == 0.0
    subprocess.run([*command_of(engine), "rmi", "--force", task.image], capture_output=True, check=False)
