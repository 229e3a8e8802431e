"""Harbor tasks that are made for an image of their own, written anew as tasks that name it.

What the image has in its working folder becomes the workspace, all that differs there at the end is submitted, and
the task's own tests/test.sh grades it in the same image. Not all tasks are of that kind: one that changes the system
itself, or whose tests want a network, does not hold, which `bowerbird tasks check` tells.
"""

from collections.abc import Mapping
from pathlib import Path

import tomli_w

from bowerbird.tasks.fields import files_below, read_text, string, table
from bowerbird.tasks.harbor import load_task, settings_of
from bowerbird.tasks.loaded import Loaded
from bowerbird.tasks.write import refuse_filled, write_file
from bowerbird.types import TaskError

_COMPOSE = ("docker-compose.yaml", "docker-compose.yml", "compose.yaml", "compose.yml")


def imaged_task(root: Path) -> tuple[Loaded, str]:
    """A plain Harbor task, and the image that it names; "" where environment/Dockerfile is to be built. Raises
    TaskError where it is none, or needs more than one image."""
    task, settings = load_task(root), settings_of(root)
    if task.spec.isolation != "image":
        raise TaskError(f"{root}: needs no image of its own")
    if settings.get("steps") or "environment" in table(settings, "verifier", root):
        raise TaskError(f"{root}: several steps, or an environment of the verifier's own: only one image can be named")
    if found := next((name for name in _COMPOSE if (root / "environment" / name).exists()), None):
        raise TaskError(f"{root}: environment/{found} starts several containers, and here a workspace has one")
    if "tests/test.sh" not in task.spec.files:
        raise TaskError(f"{root}: tests/test.sh is missing")
    environment = table(settings, "environment", root)
    name = ""
    if "docker_image" in environment:
        name = string(environment["docker_image"], "docker_image", str(root / "task.toml"))
    elif not (root / "environment" / "Dockerfile").is_file():
        raise TaskError(f"{root}: neither [environment] docker_image nor environment/Dockerfile")
    return task, name


def write_imaged(
    folder: Path,
    root: Path,
    image: str,
    inside: str,
    workspace: Mapping[str, bytes],
    solution: Mapping[str, bytes],
    *,
    git: bool,
) -> None:
    """Write the task of `root` anew. `workspace` is what the image has at `inside`, `solution` what its author's
    solution changes there. Raises TaskError, also where `folder` is not empty."""
    refuse_filled(folder)
    task, settings = load_task(root), settings_of(root)
    view, spec = task.view, task.spec
    ours = {
        "kind": "script",
        "task_id": view.task_id,
        "category": view.category,
        "difficulty": view.difficulty,
        "submission": ["*"],
        "timeout_s": min(spec.timeout_s, 3600.0),
        "image": image,
        "git": git,
    } | ({"folder": inside} if inside else {})
    metadata = table(settings, "metadata", root)
    texts = {"task.toml": tomli_w.dumps({**settings, "metadata": {**metadata, "bowerbird": ours}})}
    texts["instruction.md"] = read_text(root / "instruction.md")
    files = {name: data for name, data in spec.files.items() if name.startswith("tests/")}
    files |= files_below(root / "solution", root, "solution/")
    files |= {f"environment/workspace/{name}": data for name, data in workspace.items()}
    files |= {f"solution/files/{name}": data for name, data in solution.items()}
    for name, data in (texts | files).items():
        write_file(folder, name, data)
