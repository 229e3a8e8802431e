"""Scaffolds out of files."""

from pathlib import Path

import pytest

from bowerbird.evals.arms import FIXED
from bowerbird.scaffold.card import write_card
from bowerbird.scaffold.plan import REACT
from bowerbird.scaffold.written import acting_from_file, from_file
from bowerbird.types import ConfigError

PROGRAM = 'def run(h):\n    h.llm("go")\n    h.submit()\n'


@pytest.mark.parametrize(
    ("name", "text", "tier"),
    [
        ("a.json", write_card(FIXED), "card"),
        ("a.json", REACT.model_dump_json(), "plan"),
        ("a.py", PROGRAM, "program"),
    ],
)
def test_a_file_says_what_it_is(tmp_path: Path, name: str, text: str, tier: str) -> None:
    (tmp_path / name).write_text(text)
    found = from_file(tmp_path / name, "arm-0", "t")
    assert (found.scaffold_id, found.task_id, found.tier, found.text, found.invalid) == ("arm-0", "t", tier, text, None)


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("a.json", b"{}", "not a plan: "),
        ("a.json", b"\xff", "cannot read the scaffold"),
        ("a.py", b"def walk(h):\n    pass\n", "not a program: "),
        ("gone.json", None, "cannot read the scaffold"),
    ],
)
def test_a_file_that_is_no_scaffold(tmp_path: Path, name: str, data: bytes | None, says: str) -> None:
    if data is not None:
        (tmp_path / name).write_bytes(data)
    with pytest.raises(ConfigError, match=says):
        from_file(tmp_path / name, "arm-0", "t")


def test_work_on_files_wants_a_plan_or_a_program(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(PROGRAM)
    (tmp_path / "card.json").write_text(write_card(FIXED))
    assert acting_from_file(tmp_path / "a.py", "given", "t").tier == "program"
    with pytest.raises(ConfigError, match="is a card, which answers with one text"):
        acting_from_file(tmp_path / "card.json", "given", "t")
