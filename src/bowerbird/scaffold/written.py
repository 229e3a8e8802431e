"""Scaffolds that nobody sampled: written by a person, in code or in a file."""

from collections.abc import Sequence
from pathlib import Path

from bowerbird.config import BUILT_IN_TOOLS
from bowerbird.scaffold.tiers import TIERS
from bowerbird.types import ConfigError, Scaffold


def hand_written(
    scaffold_id: str, task_id: str, text: str, tier: str = "card", tools: Sequence[str] = BUILT_IN_TOOLS
) -> Scaffold:
    """The scaffold in a text. Raises ValueError when the text is none of its tier."""
    spec, problem = TIERS[tier].parse(text, tools)
    if spec is None:
        raise ValueError(f"not a {tier}: {problem}")
    return Scaffold(scaffold_id, task_id, tier, text, spec, None, None, None, 0)


def from_file(file: Path, scaffold_id: str, task_id: str, tools: Sequence[str] = BUILT_IN_TOOLS) -> Scaffold:
    """A program (.py), or else a plan (over `tools`) or a card, as the file's JSON says.

    Raises ConfigError when it is none.
    """
    try:
        text = file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read the scaffold {file}: {error}") from error
    card = file.suffix != ".py" and TIERS["card"].parse(text, tools)[0] is not None
    tier = "program" if file.suffix == ".py" else "card" if card else "plan"
    try:
        return hand_written(scaffold_id, task_id, text, tier, tools)
    except ValueError as error:
        raise ConfigError(f"{file}: {error}") from error


def acting_from_file(file: Path, scaffold_id: str, task_id: str, tools: Sequence[str] = BUILT_IN_TOOLS) -> Scaffold:
    """See `from_file`, for work on files. Raises ConfigError for a card too."""
    scaffold = from_file(file, scaffold_id, task_id, tools)
    if scaffold.tier == "card":
        raise ConfigError(f"{file} is a card, which answers with one text: give a plan or a program")
    return scaffold
