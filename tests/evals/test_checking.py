"""What is wrong with tasks before anything is run; `tests/cli/test_tasks.py` has what only grading finds."""

from pathlib import Path

from bowerbird.evals.checking import load_checks
from bowerbird.tasks.katas import generate, write_pack


def test_a_task_without_a_solution_is_a_problem(tmp_path: Path) -> None:
    write_pack(tmp_path / "pack", generate(seed=5, count=2))
    first = min(path.parent for path in tmp_path.rglob("task.toml"))
    (first / "solution" / "solution.py").unlink()
    checks, problems, left_out = load_checks(str(tmp_path / "pack"), 0, None)
    assert (len(checks), left_out) == (1, 0)
    assert ["has no solution/solution.py" in problem.what for problem in problems] == [True]
