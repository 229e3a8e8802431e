import json
from pathlib import Path

import pytest

from bowerbird.tasks import load_named
from bowerbird.tasks.katas import generate, write_pack
from bowerbird.types import TaskError


def test_katas_by_name_are_those_of_the_generator() -> None:
    tasks = load_named("katas", seed=4, count=5)
    assert [tasks.views[i] for i in tasks] == [k.view for k in generate(4, 5)]
    assert [tasks.spec(i) for i in tasks] == [k.spec for k in generate(4, 5)]


def test_a_directory_and_a_file_by_path(tmp_path: Path) -> None:
    write_pack(tmp_path / "pack", generate(1, 3))
    assert len(load_named(str(tmp_path / "pack"))) == 3
    assert len(load_named(str(tmp_path / "pack"), count=2)) == 2
    row = {"task_id": 1, "text": "t", "code": "def f(x): return x", "test_list": ["assert f(1) == 1"]}
    (tmp_path / "m.jsonl").write_text(json.dumps(row))
    assert list(load_named(str(tmp_path / "m.jsonl"))) == ["mbpp/1"]


def test_nothing_of_that_name(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match="give 'katas'"):
        load_named("kata")
