"""`bowerbird tasks`: list, show, check and write."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bowerbird.cli.group import Commands
from bowerbird.cli.options import FILE, FOLDER, count_option, seed_option, source_argument
from bowerbird.types import SandboxError, TaskError

if TYPE_CHECKING:
    from bowerbird.types import Case, TaskView

SOURCES = "SOURCE is 'katas' or 'repos' (generated from a seed), a .jsonl file, or a directory of Harbor tasks."


@click.group(cls=Commands)
def tasks() -> None:
    """List, show, check and write tasks."""


@tasks.command("list", epilog=SOURCES)
@source_argument
@count_option
@seed_option
def list_tasks(source: str, count: int | None, seed: int) -> None:
    """List the tasks of SOURCE with category and difficulty."""
    from bowerbird.rewards.verifiers import trust_key
    from bowerbird.tasks import load_named
    from bowerbird.viewer.tables import Table, show
    from bowerbird.viewer.text import clean

    found = load_named(source, seed, count)
    rows = tuple(
        (
            view.task_id,
            view.category,
            f"{view.difficulty:.2f}",
            view.entry_point,
            str(len(view.examples)),
            trust_key(found.spec(view.task_id)) if view.submission else "none here",
        )
        for view in found.views.values()
    )
    columns = ("task", "category", "difficulty", "function", "examples", "verifier")
    show(Table(f"{len(rows)} tasks", columns, rows, frozenset({"difficulty", "examples"})))
    if found.note:
        click.echo(clean(found.note))


@tasks.command("show", epilog=SOURCES)
@click.argument("task_id")
@source_argument
def show_task(task_id: str, source: str) -> None:
    """Show the public half of one task: all that a model ever sees of it."""
    click.echo(_described(_found(task_id, source)))


@tasks.command("checkout", epilog=SOURCES)
@click.argument("task_id")
@click.argument("source")
@click.argument("folder", type=FOLDER)
def checkout(task_id: str, source: str, folder: Path) -> None:
    """Write what the workspace of one task starts with to FOLDER, and say what it asks for: for `bowerbird solve`."""
    from bowerbird.tasks.write import refuse_filled, write_file
    from bowerbird.viewer.text import clean_lines

    view = _found(task_id, source)
    if not view.workspace:
        raise TaskError(f"{task_id} starts with no files; `bowerbird tasks show` says what it asks for")
    refuse_filled(folder)
    for name, data in view.workspace.items():
        write_file(folder, name, data)
    click.echo(clean_lines(view.instruction))


def _found(task_id: str, source: str) -> "TaskView":
    """Raises TaskError where there is none of that id."""
    from bowerbird.tasks import load_named

    view = _kata(task_id) if source == "katas" else load_named(source).views.get(task_id)
    if view is None:
        raise TaskError(f"no task {task_id!r} in {source}; `bowerbird tasks list {source}` shows some of its ids")
    return view


def _kata(task_id: str) -> "TaskView | None":
    """The kata of that id, whichever seed would draw it: all of its family are made."""
    from bowerbird.tasks.katas import capacity, family_names, generate

    for name in family_names():
        if task_id.startswith(f"katas/{name}-"):
            views = (kata.view for kata in generate(0, capacity([name]), families=[name]))
            found = next((view for view in views if view.task_id == task_id), None)
            if found is not None:
                return found
    return None


def _described(view: "TaskView") -> str:
    from bowerbird.viewer.text import clean, clean_lines

    lines = [
        f"{clean(view.task_id)}  ({clean(view.category)}, difficulty {view.difficulty:.2f})",
        "",
        clean_lines(view.instruction),
    ]
    if view.examples:
        lines += ["", "examples:", *(f"  {_example(view.entry_point, case)}" for case in view.examples)]
    if view.workspace:
        lines += ["", f"workspace: {', '.join(clean(name) for name in view.workspace)}"]
    if view.submission:
        lines += ["", f"to submit: {', '.join(clean(name) for name in view.submission)}"]
    return "\n".join(lines)


def _example(name: str, case: "Case") -> str:
    from bowerbird.sandbox.codec import decode
    from bowerbird.viewer.text import clean

    arguments = [repr(decode(value)) for value in case.args]
    arguments += [f"{key}={decode(value)!r}" for key, value in case.kwargs.items()]
    return clean(f"{name}({', '.join(arguments)}) == {decode(case.expected)!r}")


@tasks.command("check", epilog=SOURCES)
@source_argument
@count_option
@seed_option
@click.option("--backend", default="local", show_default=True, help="Sandbox to grade in.")
@click.option("--workers", default=2, show_default=True, type=click.IntRange(min=1), help="Sandboxes at once.")
def check(source: str, count: int | None, seed: int, backend: str, workers: int) -> None:
    """Grade the author's solution, nothing, and each cheat of every task of SOURCE: they must earn 1, 0 and 0.

    Exit status 1 when some task does not hold.
    """
    from bowerbird.cli.grading import trust_lines
    from bowerbird.evals.checking import check_all, load_checks
    from bowerbird.rewards.verifiers import TRUST, make_verifier, trust_key
    from bowerbird.sandbox import open_sandbox
    from bowerbird.viewer.progress import Progress
    from bowerbird.viewer.tables import Table, show

    checks, problems, left_out = load_checks(source, seed, count)
    verifier = make_verifier("task", open_sandbox(backend, hide=[Path(source)]))
    with Progress("checking tasks", len(checks)) as progress:
        problems += check_all(verifier, checks, workers, progress.advance)
    if problems:
        rows = tuple((problem.task_id, problem.what) for problem in problems)
        show(Table(f"{len(rows)} problems", ("task", "problem"), rows))
    kinds = dict.fromkeys(trust_key(each.task.spec) for each in checks)
    for line in trust_lines({kind: TRUST[kind] for kind in kinds}):
        click.echo(line)
    cheats = sum(len(each.cheats) for each in checks)
    click.echo(
        f"{len(checks)} tasks, {cheats} cheats, {len(problems)} problems"
        + (f"; {left_out} tasks were left out: each needs an image of its own" if left_out else "")
    )
    if problems:
        raise click.exceptions.Exit(1)


@tasks.command("write")
@click.argument("folder", type=FOLDER)
@click.option("--count", default=60, show_default=True, type=click.IntRange(min=1), help="How many.")
@seed_option
@click.option("--family", "families", multiple=True, help="Only this family of katas. May be repeated.")
@click.option(
    "--pool",
    default="all",
    show_default=True,
    type=click.Choice(["all", "train", "heldout"]),
    help="Variants set aside for training or for evaluation.",
)
def write(folder: Path, count: int, seed: int, families: tuple[str, ...], pool: str) -> None:
    """Write generated katas to FOLDER as Harbor task directories, with solutions and cheats."""
    from bowerbird.tasks.katas import generate, write_pack

    chosen = next(each for each in ("all", "train", "heldout") if each == pool)
    written = write_pack(folder, generate(seed, count, families=families or None, pool=chosen))
    click.echo(f"wrote {len(written)} tasks to {folder}")


@tasks.command("swebench")
@click.argument("source", type=FILE)
@click.argument("folder", type=FOLDER)
@click.option("--clones", type=FOLDER, help="Git repositories as owner__name; the cache by default.")
@click.option("--from", "origin", default="https://github.com", show_default=True, help="Where others are cloned from.")
@click.option("--requirements", type=FILE, help="Python packages that the tests need: wheels only.")
@click.option("--only", multiple=True, metavar="ID", help="Only this instance. May be repeated.")
def swebench(
    source: Path, folder: Path, clones: Path | None, origin: str, requirements: Path | None, only: tuple[str, ...]
) -> None:
    """Convert SWE-bench instances (a .jsonl file) to task directories in FOLDER.

    Then `bowerbird tasks check FOLDER` tells which of them can be graded without the benchmark's containers.
    """
    from bowerbird.config import cache_dir
    from bowerbird.tasks.fields import read_text
    from bowerbird.tasks.swebench import clone_of, read_instances, write_instance
    from bowerbird.viewer.progress import Progress
    from bowerbird.viewer.text import clean

    wanted = [each for each in read_instances(source) if not only or each.instance_id in only]
    needs = read_text(requirements) if requirements is not None else ""
    problems = []
    with Progress("converting instances", len(wanted)) as progress:
        for each in wanted:
            try:
                clone = clone_of(each.repo, clones or cache_dir() / "clones", origin)
                write_instance(folder / each.instance_id, each, clone, needs)
            except TaskError as error:
                problems.append(str(error))
            progress.advance()
    for problem in problems:
        click.echo(f"left out: {clean(problem)}", err=True)
    click.echo(f"wrote {len(wanted) - len(problems)} of {len(wanted)} instances to {folder}")
    if len(problems) == len(wanted):
        raise TaskError(f"{source}: no instance could be converted")


@tasks.command("images")
@click.argument("source", type=FOLDER)
@click.argument("folder", type=FOLDER)
@click.option("--backend", default="docker", show_default=True, help="docker or podman.")
@click.option("--pull", is_flag=True, help="Fetch images that are named and not there.")
@click.option("--only", multiple=True, metavar="ID", help="Only this task. May be repeated.")
def images(source: Path, folder: Path, backend: str, pull: bool, only: tuple[str, ...]) -> None:
    """Write the Harbor tasks of SOURCE that are made for an image of their own to FOLDER, so that they name it.

    Builds environment/Dockerfile where no image is named, takes the workspace from the image, and runs the author's
    solution in it. Then `bowerbird tasks check FOLDER --backend docker` tells which of them hold.
    """
    from bowerbird.evals.imaging import write_task
    from bowerbird.sandbox import open_sandbox
    from bowerbird.sandbox.engine import command_of
    from bowerbird.tasks.harbor import load_task, task_folders
    from bowerbird.viewer.progress import Progress
    from bowerbird.viewer.text import clean

    found = {load_task(root).view.task_id: root for root in task_folders(source)}
    wanted = {task_id: root for task_id, root in found.items() if not only or task_id in only}
    engine, sandbox = command_of(backend), open_sandbox(backend)
    problems: list[str] = []
    written = 0
    with Progress("writing tasks", len(wanted)) as progress:
        for task_id, root in wanted.items():
            try:
                if said := write_task(engine, sandbox, root, folder / root.relative_to(source), pull=pull):
                    problems.append(f"{task_id}: {said}")
                written += 1
            except (TaskError, SandboxError) as error:
                problems.append(f"left out: {error}")
            progress.advance()
    for problem in problems:
        click.echo(clean(problem), err=True)
    click.echo(f"wrote {written} of {len(wanted)} tasks to {folder}")
    if not written:
        raise TaskError(f"{source}: no task could be written")


@tasks.command("add")
@click.argument("dataset")
@click.argument("folder", type=FOLDER)
@click.option(
    "--harbor", envvar="BOWERBIRD_HARBOR", default="harbor", show_default=True, help="Harbor's own command, as it is."
)
@click.option("--registry-path", type=FILE, help="A registry.json of yours.")
@click.option("--repo", default="", help="A git registry, as owner/name or an address.")
def add(dataset: str, folder: Path, harbor: str, registry_path: Path | None, repo: str) -> None:
    """Download DATASET, such as terminal-bench@2.1, into FOLDER by Harbor's own package, and say what it holds.

    The folder is a task source like any other. Harbor lives in an environment of its own (Python 3.12): name its
    command with --harbor, or in BOWERBIRD_HARBOR.
    """
    from bowerbird.tasks.download import download
    from bowerbird.tasks.harbor import load_tasks

    options = ["--registry-path", str(registry_path)] if registry_path is not None else []
    where = download(harbor, dataset, folder, [*options, *(["--repo", repo] if repo else [])])
    found = load_tasks(where)
    imaged = sum(found.spec(task_id).isolation == "image" for task_id in found)
    anew = f", {imaged} of them for an image of their own: `bowerbird tasks images` writes these anew"
    click.echo(f"{len(found)} tasks in {where}" + (anew if imaged else ""))
