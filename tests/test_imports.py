"""The core is light: neither importing Bowerbird nor asking any command for help loads torch."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "bowerbird"
HEAVY = ("torch", "transformers", "peft", "llguidance", "matplotlib", "vllm", "ray")

WALK = """
import click
from bowerbird.cli import main

def walk(command, name):
    try:
        command.main(["--help"], prog_name=name, standalone_mode=False)
    except click.exceptions.Exit as done:
        assert done.exit_code == 0
    count = 1
    if isinstance(command, click.Group):
        context = click.Context(command)
        for child in command.list_commands(context):
            count += walk(command.get_command(context, child), f"{name} {child}")
    return count

print(walk(main, "bowerbird"), "commands")
"""


def loaded_by(code: str) -> tuple[set[str], str]:
    """Heavy modules loaded after `code` ran in a fresh interpreter, and what it printed."""
    tail = f"\nimport sys\nprint('LOADED', *[name for name in {HEAVY!r} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code + tail], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    body, _, last = result.stdout.rstrip("\n").rpartition("\n")
    assert last.startswith("LOADED")
    return set(last.split()[1:]), body


def test_the_check_sees_a_heavy_module() -> None:
    assert loaded_by("import matplotlib")[0] == {"matplotlib"}


@pytest.mark.parametrize(
    "module",
    ["bowerbird", "bowerbird.types", "bowerbird.config", "bowerbird.tasks", "bowerbird.sandbox", "bowerbird.algo"],
)
def test_core_modules_load_nothing_heavy(module: str) -> None:
    assert loaded_by(f"import {module}")[0] == set()


def test_rewards_load_nothing_heavy() -> None:
    assert loaded_by("import bowerbird.rewards")[0] == set()


def test_every_commands_help_loads_nothing_heavy() -> None:
    loaded, body = loaded_by(WALK)
    assert loaded == set()
    assert "Usage: bowerbird train" in body
    assert int(body.splitlines()[-1].split()[0]) >= 6


def test_only_the_graders_side_names_the_private_half_of_a_task() -> None:
    """Layers cannot say this: whoever proposes, solves or learns never handles a VerifierSpec."""
    blind = ["config", "sandbox", "inference", "scaffold", "rollout", "algo", "trainer", "viewer"]
    naming = [
        str(path.relative_to(SOURCE))
        for room in blind
        for path in (SOURCE / room).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if (isinstance(node, ast.Name) and node.id == "VerifierSpec")
        or (isinstance(node, ast.alias) and node.name == "VerifierSpec")
        or (isinstance(node, ast.Attribute) and node.attr == "VerifierSpec")
    ]
    assert naming == []
