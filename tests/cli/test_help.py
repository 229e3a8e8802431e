"""Help, version and completion: of every command, at once, without anything heavy."""

import resource
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

import bowerbird
from bowerbird.cli import main


def commands(group: click.Group, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for name in group.list_commands(click.Context(group)):
        command = group.commands[name]
        found.append((*path, name))
        if isinstance(command, click.Group):
            found += commands(command, (*path, name))
    return found


ALL = commands(main)


def test_the_commands_are_these() -> None:
    assert [" ".join(path) for path in ALL] == [
        "solve", "train", "eval", "tasks", "tasks list", "tasks show", "tasks checkout", "tasks check",
        "tasks write", "tasks swebench", "tasks images", "tasks add",
        "sandbox", "sandbox check", "scaffolds", "flags", "redteam",
        "judge", "judge calibrate", "judge show", "simulate",
        "view", "export", "import", "completion",
    ]  # fmt: skip


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_command_explains_itself_and_its_options(path: tuple[str, ...]) -> None:
    result = CliRunner().invoke(main, [*path, "--help"], prog_name="bowerbird")
    assert result.exit_code == 0
    assert result.output.startswith(f"Usage: bowerbird {' '.join(path)}")
    command: click.Command = main
    for name in path:
        assert isinstance(command, click.Group)
        command = command.commands[name]
    assert command.help
    assert [p.name for p in command.params if isinstance(p, click.Option) and not p.help] == []


def test_short_help_fits_on_its_line() -> None:
    output = CliRunner().invoke(main, ["-h"], terminal_width=110).output
    assert all(path[0] in output for path in ALL)
    assert all(len(line) <= 110 for line in output.splitlines())


def test_version() -> None:
    assert CliRunner().invoke(main, ["--version"]).output == f"bowerbird, version {bowerbird.__version__}\n"


FRESH = """
import sys
from bowerbird.cli import main
try:
    main(sys.argv[1:])
except SystemExit as done:
    assert done.code == 0, done.code
heavy = {"torch", "transformers", "matplotlib", "rich", "pydantic", "numpy", "sqlite3", "bowerbird.config"}
print("LOADED", *sorted(heavy & set(sys.modules)))
"""


@pytest.mark.parametrize("path", [(), ("train",), ("tasks", "check"), ("simulate",), ("view",)], ids=repr)
def test_help_loads_nothing_and_is_quick(path: tuple[str, ...]) -> None:
    """Processor time, not wall time: the machine may be busy with other tests."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    result = subprocess.run([sys.executable, "-c", FRESH, *path, "--help"], capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[-1].strip() == "LOADED"
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 0.45


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_script(shell: str) -> None:
    result = CliRunner().invoke(main, ["completion", shell])
    assert result.exit_code == 0
    assert f"_BOWERBIRD_COMPLETE={shell}_complete" in result.output


def test_completion_completes() -> None:
    environment = {"_BOWERBIRD_COMPLETE": "bash_complete", "COMP_WORDS": "bowerbird tasks ", "COMP_CWORD": "2"}
    code = "from bowerbird.cli import main; main(prog_name='bowerbird')"
    result = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    names = ("list", "show", "checkout", "check", "write", "swebench", "images", "add")
    assert result.stdout.split() == [f"plain,{name}" for name in names], result.stderr


def test_an_unknown_shell_is_refused() -> None:
    assert CliRunner().invoke(main, ["completion", "csh"]).exit_code == 2
