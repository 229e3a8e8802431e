import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bowerbird.tasks import Loaded, load_reference, load_task, write_task
from bowerbird.types import Case, TaskError, TaskView, VerifierSpec

VIEW = TaskView(
    "pack/wrap", "c", "Put x into a tuple.", "wrap", (Case((1,), {"$tuple": [1]}),), workspace={"a/b.txt": b"\x00"}
)
CASES = (
    Case(({"$dict": [[1, {"$set": [3, 2]}]]},), {"$tuple": [{"$dict": [[1, {"$set": [2, 3]}]]}]}),
    Case((), {"$tuple": [{"$float": "inf"}]}, {"x": {"$float": "inf"}}),
)
TASK = Loaded(VIEW, VerifierSpec("pack/wrap", "oracle", "wrap", CASES, timeout_s=2.5))


def test_what_is_written_loads_back_equal(tmp_path: Path) -> None:
    write_task(tmp_path / "t", TASK, solution="def wrap(x): return (x,)\n", cheats=("one", "two"))
    assert load_task(tmp_path / "t") == TASK
    reference = load_reference(tmp_path / "t")
    assert reference.solution == "def wrap(x): return (x,)\n"
    assert list(reference.cheats.values()) == ["one", "two"]
    for name in ("environment/Dockerfile", "tests/test.sh", "solution/solve.sh"):
        assert (tmp_path / "t" / name).is_file()


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("def wrap(x):\n    print('noise')\n    return (x,)\n", 0),
        ("def wrap(x): return [x]\n", 1),
        ("class S:\n    def __eq__(self, o): return True\ndef wrap(x): return S()\n", 1),
        ("import os\ndef wrap(x): os._exit(0)\n", 1),
        ("def wrap(", 1),
    ],
)
def test_the_script_for_harbor_grades_by_type_and_value(tmp_path: Path, source: str, code: int) -> None:
    """The sources are ours, so they may run here."""
    write_task(tmp_path / "t", TASK, solution="")
    (tmp_path / "solution.py").write_text(source)
    check = [sys.executable, "-I", str(tmp_path / "t/tests/check.py"), str(tmp_path)]
    assert subprocess.run(check, capture_output=True, check=False).returncode == code


def test_only_oracle_tasks_of_one_file_and_only_into_a_new_directory(tmp_path: Path) -> None:
    write_task(tmp_path / "t", TASK, solution="")
    with pytest.raises(TaskError, match="not empty"):
        write_task(tmp_path / "t", TASK, solution="")
    with pytest.raises(TaskError, match="only oracle tasks"):
        write_task(tmp_path / "u", Loaded(replace(VIEW, submission=("a.py",)), TASK.spec), solution="")
    with pytest.raises(TaskError, match="leaves the task"):
        write_task(tmp_path / "v", Loaded(replace(VIEW, workspace={"../x": b""}), TASK.spec), solution="")
    assert not (tmp_path / "v" / "environment" / "x").exists()
