import gzip
import json
from pathlib import Path

import pytest

from bowerbird.tasks import load_jsonl
from bowerbird.types import Case, TaskError

HUMANEVAL = {
    "task_id": "HumanEval/0",
    "prompt": 'def double(x):\n    """Twice x.\n    >>> double(2)\n    4\n    """\n',
    "canonical_solution": "    open('/tmp/never', 'w')\n    return 2 * x\n",
    "test": "def check(candidate):\n    assert candidate(2) == 4\n    assert candidate(5) == 10\n"
    "    assert abs(candidate(0.1) - 0.2) < 1e-6\n",
    "entry_point": "double",
}
MBPP = {
    "task_id": 7,
    "text": "Write a function to find the smaller one.",
    "code": "import os\ndef helper(x):\n    return x\ndef smaller(a, b=1):\n    return min(a, b)\n",
    "test_list": ["assert smaller(1, 2) == 1", "assert smaller(5, (3,)) == (3,)", "assert set(smaller(1, 1)) == {1}"],
    "test_setup_code": "",
}


def write(tmp_path: Path, *rows: object) -> Path:
    path = tmp_path / "tasks.jsonl"
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return path


def test_humaneval(tmp_path: Path) -> None:
    report = load_jsonl(write(tmp_path, HUMANEVAL))
    view, spec = report.tasks.views["HumanEval/0"], report.tasks.spec("HumanEval/0")
    assert view.entry_point == spec.entry_point == "double"
    assert view.examples == (Case((2,), 4),)
    assert spec.cases == (Case((5,), 10),)
    assert spec.kind == "oracle"
    assert report.dropped == {"HumanEval/0": 1}
    assert report.references["HumanEval/0"].endswith("return 2 * x\n")
    assert "return 2 * x" not in repr(view)
    assert not Path("/tmp/never").exists()
    assert report.tasks.note == "1 asserts not converted in 1 tasks"


def test_doctests_are_shown_even_when_no_assert_repeats_them(tmp_path: Path) -> None:
    prompt = (
        'import os\n\ndef double(x):\n    """Twice x.\n    >>> double(7)\n    14\n    >>> double(8)\n    16\n    """'
    )
    view = load_jsonl(write(tmp_path, {**HUMANEVAL, "prompt": prompt})).tasks.views["HumanEval/0"]
    assert view.examples == (Case((7,), 14), Case((8,), 16))
    broken = load_jsonl(write(tmp_path, {**HUMANEVAL, "prompt": "def double(x:"})).tasks.views["HumanEval/0"]
    assert broken.examples == (Case((2,), 4),)


def test_mbpp(tmp_path: Path) -> None:
    report = load_jsonl(write(tmp_path, MBPP, "", {**MBPP, "task_id": "x/8", "prompt": "P.", "text": "T."}))
    assert list(report.tasks) == ["mbpp/7", "x/8"]
    view, spec = report.tasks.views["mbpp/7"], report.tasks.spec("mbpp/7")
    assert view.instruction == "Write a function to find the smaller one.\nName the function `smaller(a, b=1)`."
    assert view.examples == (Case((1, 2), 1),)
    assert spec.cases == (Case((5, {"$tuple": [3]}), {"$tuple": [3]}),)
    assert report.dropped["mbpp/7"] == 1


def test_one_assert_alone_stays_hidden(tmp_path: Path) -> None:
    report = load_jsonl(write(tmp_path, {**MBPP, "test_list": MBPP["test_list"][:1]}))  # type: ignore[index]
    assert report.tasks.views["mbpp/7"].examples == ()
    assert report.tasks.spec("mbpp/7").cases == (Case((1, 2), 1),)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({**HUMANEVAL, "test": "def check(candidate):\n    assert candidate(2) == 4\n"}, "already shown"),
        ({**HUMANEVAL, "test": "def check(candidate):\n    assert candidate(x) == 4\n"}, "none of its 1 asserts"),
        ({**HUMANEVAL, "test": "def check(candidate:"}, "not Python"),
        ({**MBPP, "code": "x = 1"}, "defines"),
        ({**MBPP, "code": "def smaller("}, "not Python"),
        ({**MBPP, "test_list": []}, "defines"),
    ],
)
def test_rows_without_a_gradable_assert_are_skipped_with_a_reason(
    tmp_path: Path, row: dict[str, object], reason: str
) -> None:
    report = load_jsonl(write(tmp_path, row))
    assert len(report.tasks) == 0
    assert len(report.skipped) == 1
    assert reason in next(iter(report.skipped.values()))
    assert "skipped (the first, " in report.tasks.note
    assert reason in report.tasks.note


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("{", "line 1: not JSON"),
        ("[1]", "must be an object"),
        ({"prompt": "p"}, "needs a task_id"),
        ({"task_id": True}, "needs a task_id"),
        ({"task_id": "a"}, "needs 'prompt'"),
        ({**MBPP, "test_list": "assert"}, "test_list must be a list"),
        ({**HUMANEVAL, "entry_point": None}, "needs 'entry_point'"),
    ],
)
def test_rows_of_neither_shape_are_errors_that_name_the_line(tmp_path: Path, row: object, message: str) -> None:
    with pytest.raises(TaskError, match=message):
        load_jsonl(write(tmp_path, row))


def test_files(tmp_path: Path) -> None:
    packed = tmp_path / "h.jsonl.gz"
    packed.write_bytes(gzip.compress(json.dumps(HUMANEVAL).encode()))
    assert list(load_jsonl(packed).tasks) == ["HumanEval/0"]
    packed.write_bytes(b"not gzip")
    with pytest.raises(TaskError, match="cannot be read"):
        load_jsonl(packed)
    with pytest.raises(TaskError, match="cannot be read"):
        load_jsonl(tmp_path / "missing.jsonl")
    (tmp_path / "latin.jsonl").write_bytes(b"\xff")
    with pytest.raises(TaskError, match="UTF-8"):
        load_jsonl(tmp_path / "latin.jsonl")
    with pytest.raises(TaskError, match="two tasks"):
        load_jsonl(write(tmp_path, HUMANEVAL, HUMANEVAL))
