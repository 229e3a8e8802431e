"""Harbor tasks with images of their own: build, look inside, run the author's solution, write anew."""

from dataclasses import replace
from pathlib import Path

from bowerbird.rollout.desk import base_of, standing
from bowerbird.sandbox import Base, Limits, Sandbox, Workspace
from bowerbird.sandbox.furnish import furnished
from bowerbird.sandbox.images import build_image, find_image, working_folder
from bowerbird.tasks.fields import files_below
from bowerbird.tasks.images import imaged_task, write_imaged
from bowerbird.types import WHOLE, TaskError

_MOST_FILES, _MOST_BYTES = 50_000, 256 << 20
_LIMITS = Limits(1800.0, 1800, memory_bytes=4 << 30, file_bytes=1 << 30, processes=512, output_bytes=16 << 20)


def write_task(engine: tuple[str, ...], sandbox: Sandbox, root: Path, folder: Path, *, pull: bool) -> str:
    """One task; what there is to say of it. Raises TaskError, SandboxError."""
    task, name = imaged_task(root)
    image = find_image(engine, name, pull=pull) if name else build_image(engine, root / "environment")
    inside = working_folder(engine, image)
    view = replace(task.view, submission=WHOLE, image=image, folder=inside)
    with sandbox.open({}, base=base_of(view)) as workspace:
        there = standing(workspace, {}, most=_MOST_FILES, most_bytes=_MOST_BYTES)
        if there.anomalies:
            raise TaskError(f"{root}: {inside} in {image}: {there.anomalies[0]}")
        solution, said = _solved(workspace, root, dict(there.files))
    git = bool(inside) and _has_history(sandbox, image, inside)
    write_imaged(folder, root, image, inside, there.files, solution, git=git)
    return said


def _solved(workspace: Workspace, root: Path, before: dict[str, bytes]) -> tuple[dict[str, bytes], str]:
    """What the author's solve.sh changes, and what is wrong with it."""
    script = root / "solution" / "solve.sh"
    if not script.is_file():
        return {}, "it has no solution/solve.sh"
    shell = "bash" if script.read_bytes().split(b"\n")[0].rstrip().endswith(b"bash") else "sh"
    with furnished(workspace, {"/solution": files_below(root / "solution", root)}):
        done = workspace.run([shell, "/solution/solve.sh"], limits=_LIMITS)
    after = standing(workspace, before, most=_MOST_FILES, most_bytes=_MOST_BYTES).files
    changed = {name: data for name, data in after.items() if before.get(name) != data}
    if done.exit_code != 0:
        return changed, f"solution/solve.sh ended with {done.exit_code}: {done.stderr.decode(errors='replace')[-200:]}"
    return changed, "" if changed else "solution/solve.sh changes nothing in the working folder"


def _has_history(sandbox: Sandbox, image: str, inside: str) -> bool:
    """Whether the working folder is a git repository and git is there to make one of it again."""
    with sandbox.open({}, base=Base(image=image)) as workspace:
        script = 'test -d "$1/.git" && git --version'
        return workspace.run(["/bin/sh", "-c", script, "sh", inside]).exit_code == 0
