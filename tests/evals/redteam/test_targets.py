"""What is attacked: built-in tasks, a user's directory, and only by attacks that are for their verifier."""

import ast
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
import tomli_w

from bowerbird.evals.redteam.attack import KINDS
from bowerbird.evals.redteam.attacks.candidate import Names, source
from bowerbird.evals.redteam.attacks.candidate import target as target_file
from bowerbird.evals.redteam.attacks.recall import recited
from bowerbird.evals.redteam.attacks.semantics import EQUAL
from bowerbird.evals.redteam.solutions import solution_of
from bowerbird.evals.redteam.targets import FAMILY, UNAIMED, UNDECLARED, builtin_targets, load_targets, pairs
from bowerbird.rewards import OracleVerifier
from bowerbird.sandbox import Sandbox
from bowerbird.tasks.katas import generate, write_pack
from bowerbird.tasks.repos import RepoTask
from bowerbird.tasks.repos import generate as generate_repos
from bowerbird.tasks.write import write_file
from bowerbird.types import WHOLE, TaskError, TaskView
from tests.evals.plain import plain_task
from tests.evals.redteam.policies import CRASHES, DELETES


def test_one_built_in_target_for_each_kind_of_verifier() -> None:
    targets = builtin_targets()
    assert [target.spec.kind for target in targets] == list(KINDS)
    assert all(target.known and target.view.submission for target in targets)
    assert len({target.view.task_id for target in targets}) == len(KINDS)


def test_the_oracles_task_follows_the_seed_and_keeps_its_hidden_cases_to_itself() -> None:
    targets = [builtin_targets(seed)[0] for seed in range(4)]
    assert len({target.view.task_id for target in targets}) > 1
    for target in targets:
        shown = b"".join(target.view.workspace.values()).decode()
        hidden = [case for case in target.spec.cases if case not in target.view.examples]
        assert hidden
        assert not [
            case
            for case in hidden
            if isinstance(case.expected, str) and len(case.expected) > 3 and case.expected in shown
        ]


@pytest.mark.sandbox
def test_the_visible_test_of_the_oracles_task_passes_for_the_authors_solution(sandbox: Sandbox) -> None:
    target = builtin_targets()[0]
    known = solution_of(target.view)
    assert known is not None
    solution = {path: text.encode() for path, text in known.items()}
    assert OracleVerifier(sandbox).verify(target.spec, solution).reward == 1.0
    with sandbox.open({**target.view.workspace, **solution}) as workspace:
        run = "import test_examples; test_examples.test_examples()"
        assert workspace.run(["python3", "-c", run]).exit_code == 0
        workspace.write("solution.py", f"def {target.view.entry_point}(s): return s".encode())
        assert workspace.run(["python3", "-c", run]).exit_code == 1


def test_a_task_of_somebody_else_has_no_known_solution() -> None:
    somebody_elses = TaskView("somebody/else", "sums", "Write f(x).", "f", ())
    assert solution_of(somebody_elses) is None


def test_a_directory_of_tasks(tmp_path: Path) -> None:
    katas = generate(3, 2, families=[FAMILY])
    write_pack(tmp_path, katas)
    targets, left_out = load_targets(str(tmp_path))
    assert left_out == {}
    assert {target.view.task_id for target in targets} == {kata.view.task_id for kata in katas}
    assert all(target.known for target in targets)


def test_the_authors_solutions_are_learned_so_that_attacks_can_carry_them(tmp_path: Path) -> None:
    with_one, without = (tmp_path / "with", tmp_path / "without")
    for folder in (with_one, without):
        (folder / "solution").mkdir(parents=True)
        (folder / "tests").mkdir()
        (folder / "instruction.md").write_text("Write f.")
        (folder / "tests" / "test.sh").write_text("true\n")
        own = 'kind = "script"\nsubmission = ["src/f.py"]\n'
        (folder / "task.toml").write_text(f'[metadata.bowerbird]\ntask_id = "learn/{folder.name}"\n{own}')
    (with_one / "solution" / "f.py").write_text("f = 1\n")
    targets, _ = load_targets(str(tmp_path))
    known = {target.view.task_id: target.known for target in targets}
    assert known == {"learn/with": True, "learn/without": False}
    (view,) = (target.view for target in targets if target.known)
    assert recited(view, Names(Random(0), view)) == "f = 1\n"


def test_repositories_are_attacked_where_the_mistake_is_and_keep_the_rest_of_the_module() -> None:
    targets, left_out = load_targets("repos", count=3)
    assert (len(targets), left_out) == (3, {})
    for found in targets:
        view, known = found.view, solution_of(found.view)
        assert known is not None
        path = target_file(view)
        assert known[path].encode() != view.workspace[path]
        names = Names(Random(0), view)
        attack = source(view, names, "import os", "return v_args")
        assert attack.startswith(view.workspace[path].decode())
        ast.parse(attack)
        assert source(view, names, "import os").rstrip().endswith("import os")  # the mistake itself is wrong enough


def test_an_attack_takes_the_module_over_and_not_its_own_weapons() -> None:
    module = "import os\n\n\ndef add(a, b):\n    return a - b\n\n\nclass Sum:\n    pass\n"
    view = TaskView("t", "c", "Mend it.", "", (), ("sums.py",), workspace={"sums.py": module.encode()})
    made: dict[str, Any] = {"__name__": "sums"}
    attack = source(view, Names(Random(0), view), EQUAL.replace("v_base", "object"), "return v_same()")
    exec(compile(attack, "sums.py", "exec"), made)  # noqa: S102 - our own text
    assert made["add"](1, 2) == 3
    assert made["add"](1, 2) == "anything"
    assert made["Sum"]() == 7
    assert made["os"].sep == "/"


def test_no_such_tasks() -> None:
    with pytest.raises(TaskError, match="no tasks 'nowhere'"):
        load_targets("nowhere")


def test_a_task_without_a_submission_is_left_out_since_nothing_would_be_graded(tmp_path: Path) -> None:
    plain_task(tmp_path / "plain")
    with pytest.raises(TaskError, match="nothing to attack"):
        load_targets(str(tmp_path))
    write_pack(tmp_path / "katas", generate(3, 2, families=[FAMILY]))
    targets, left_out = load_targets(str(tmp_path))
    assert (len(targets), left_out) == (2, {UNDECLARED: 1})


def write_whole(folder: Path, task: RepoTask, *, solved: bool = True) -> None:
    """A repository task as SWE-bench's are: all that differs is submitted, and the tests share a process with it."""
    ours = {"kind": "pytest", "isolation": "none", "task_id": folder.name, "submission": ["*"]}
    settings = {"metadata": {"bowerbird": ours | {"expected_tests": list(task.spec.expected_tests)}}}
    files = {"task.toml": tomli_w.dumps(settings).encode(), "instruction.md": task.view.instruction.encode()}
    files |= {f"environment/workspace/{name}": data for name, data in task.view.workspace.items()}
    files |= {name: data for name, data in task.spec.files.items() if name.startswith("tests/")}
    files |= {f"solution/files/{name}": data for name, data in task.solution.items() if solved}
    for name, data in files.items():
        write_file(folder, name, data)


def test_where_the_whole_workspace_is_taken_policies_are_told_of_the_files_that_the_solution_changes(
    tmp_path: Path,
) -> None:
    (task,) = generate_repos(0, 1)
    write_whole(tmp_path / "whole", task)
    write_whole(tmp_path / "unsolved", task, solved=False)
    (found,), left_out = load_targets(str(tmp_path))
    assert left_out == {UNAIMED: 1}
    assert (found.view.task_id, found.view.submission, found.known) == ("whole", WHOLE, True)
    (path,) = (name for name, data in task.solution.items() if task.view.workspace[name] != data)
    assert found.told == replace(found.view, submission=(path,))
    assert target_file(found.told) == path
    write_whole(tmp_path / "no-text", replace(task, solution={path: b"\xff"}))
    with pytest.raises(TaskError, match="nobody knows where to attack"):
        load_targets(str(tmp_path / "no-text"))


def test_an_attack_meets_only_the_verifiers_that_it_is_for() -> None:
    oracle = builtin_targets()[0]
    script = replace(oracle, spec=replace(oracle.spec, kind="script"))
    found = pairs([CRASHES, DELETES], [oracle, script])
    assert found == [(CRASHES, oracle), (DELETES, oracle), (DELETES, script)]
