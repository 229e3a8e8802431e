from collections.abc import Callable
from pathlib import Path

import pytest

from bowerbird.tasks import load_reference, load_task, load_tasks
from bowerbird.types import WHOLE, Case, TaskError

TOML = """
schema_version = "1.4"
[task]
name = "org/half"
[metadata]
difficulty = "easy"
category = "programming"
[metadata.bowerbird]
entry_point = "half"
category = "maths"
difficulty = 0.3
[verifier]
timeout_sec = 120.0
"""


def put(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def oracle(tmp_path: Path) -> Path:
    root = tmp_path / "half"
    put(root, "task.toml", TOML)
    put(root, "instruction.md", "<!-- benchmark canary 123 -->\n\nHalve x.\n")
    put(root, "environment/Dockerfile", "FROM scratch\n")
    put(root, "environment/examples.json", '[{"args": [2], "expected": 1}]')
    put(root, "environment/workspace/data/in.txt", "seen")
    put(root, "tests/cases.json", '[{"args": [8], "kwargs": {"by": 2}, "expected": {"$tuple": [4]}}]')
    put(root, "solution/solution.py", "def half(x): return 'the answer'")
    put(root, "solution/cheats/a.py", "cheat text")
    return root


def test_an_oracle_task_in_two_halves(oracle: Path) -> None:
    task = load_task(oracle)
    assert task.view.task_id == task.spec.task_id == "org/half"
    assert task.view.instruction == "Halve x."
    assert task.view.category == "maths"
    assert task.view.difficulty == 0.3
    assert task.view.examples == (Case((2,), 1),)
    assert task.view.workspace == {"data/in.txt": b"seen"}
    assert task.spec.cases == (Case((8,), {"$tuple": [4]}, {"by": 2}),)
    assert task.spec.timeout_s == 5.0


def test_nothing_private_reaches_the_view(oracle: Path) -> None:
    shown = repr(load_task(oracle).view)
    assert "$tuple" not in shown
    assert "the answer" not in shown
    assert "cheat text" not in shown


def test_the_reference_is_loaded_apart(oracle: Path) -> None:
    reference = load_reference(oracle)
    assert reference.solution == "def half(x): return 'the answer'"
    assert reference.cheats == {"a.py": "cheat text"}


def test_examples_may_stand_in_the_metadata(oracle: Path) -> None:
    extra = "[[metadata.bowerbird.examples]]\nargs = [4]\nexpected = 2\n"
    put(oracle, "task.toml", TOML + extra)
    assert load_task(oracle).view.examples == (Case((4,), 2),)


def test_a_plain_harbor_task_loads_as_a_script_with_private_files(tmp_path: Path) -> None:
    root = tmp_path / "hello"
    put(root, "task.toml", 'version = "1.0"\n[metadata]\ndifficulty = "hard"\n[verifier]\ntimeout_sec = 30\n')
    put(root, "instruction.md", "Say hello.")
    put(root, "environment/Dockerfile", "FROM alpine\n")
    put(root, "tests/test.sh", "secret test")
    put(root, "solution/solve.sh", "secret solution")
    task = load_task(root)
    assert task.view.task_id == "hello"
    assert task.view.entry_point == ""
    assert task.view.difficulty == 0.75
    assert not task.view.workspace
    assert task.spec.kind == "script"
    assert task.spec.isolation == "image"  # nothing here builds one, so it is refused when it is to be graded
    assert task.spec.timeout_s == 30.0
    assert task.spec.files == {"tests/test.sh": b"secret test", "environment/Dockerfile": b"FROM alpine\n"}
    assert "secret" not in repr(task.view)


TESTED = """
[metadata.bowerbird]
kind = "pytest"
submission = ["solution.py", "pkg/more.py"]
expected_tests = ["test_a.py::test_one", "sub/test_b.py::TestB::test_two[x-1]"]
canaries = ["test_a.py::test_canary"]
"""


@pytest.fixture
def tested(tmp_path: Path) -> Path:
    root = tmp_path / "tested"
    put(root, "task.toml", TESTED)
    put(root, "instruction.md", "Write it.\n\nWrite it to `solution.py`, `pkg/more.py` in the working directory.")
    put(root, "environment/workspace/given.py", "x = 1")
    put(root, "tests/test_a.py", "hidden a")
    put(root, "tests/sub/test_b.py", "hidden b")
    return root


def test_a_pytest_task_in_two_halves(tested: Path) -> None:
    task = load_task(tested)
    assert (task.view.entry_point, task.view.instruction) == ("", "Write it.")
    assert task.view.submission == ("solution.py", "pkg/more.py")
    assert task.view.workspace == {"given.py": b"x = 1"}
    assert (task.spec.kind, task.spec.isolation, task.spec.timeout_s) == ("pytest", "process", 30.0)
    assert task.spec.expected_tests == ("test_a.py::test_one", "sub/test_b.py::TestB::test_two[x-1]")
    assert task.spec.canaries == ("test_a.py::test_canary",)
    assert task.spec.files == {
        "tests/sub/test_b.py": b"hidden b",
        "tests/test_a.py": b"hidden a",
        "workspace/given.py": b"x = 1",
    }
    assert "hidden" not in repr(task.view)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("canaries", 'isolation = "some"\ncanaries', "isolation must be 'process' or 'none'"),
        ("canaries", "examples = 3\ncanaries", "must be a list"),
        ("canaries", 'cases = "x"\ncanaries', "unknown key 'cases'.*'pytest'"),
        ('"test_a.py::test_one", ', '"test_a.py", ', "'test_a.py' is no id of a test"),
        ('"test_a.py::test_one", ', '"test_c.py::test_one", ', "no id of a test below tests/"),
        ('"test_a.py::test_one", ', "3, ", "list of strings"),
        ('"test_a.py::test_one", ', '"test_a.py::test_canary", ', "expected to pass and be a canary"),
        ('["test_a.py::test_canary"]', '["test_a.py::x", "test_a.py::x"]', "names something twice"),
        ('"pkg/more.py"', '"json.py"', "module of Python's own"),
        ('"pkg/more.py"', '"email/x.py"', "module of Python's own"),
        ("[metadata.bowerbird]", '[metadata.bowerbird]\nentry_point = "a b"', "entry_point must be the name"),
    ],
)
def test_a_broken_pytest_task_says_how_to_mend_it(tested: Path, old: str, new: str, message: str) -> None:
    put(tested, "task.toml", TESTED.replace(old, new))
    with pytest.raises(TaskError, match=message) as caught:
        load_task(tested)
    assert "task.toml" in str(caught.value)


def test_a_script_task_for_the_sandboxs_own_system(tmp_path: Path) -> None:
    put(tmp_path, "task.toml", '[metadata.bowerbird]\nkind = "script"\nsubmission = ["out.txt"]\ntimeout_s = 9\n')
    put(tmp_path, "instruction.md", "Do it.")
    put(tmp_path, "environment/Dockerfile", "FROM scratch\n")
    put(tmp_path, "environment/workspace/in.txt", "given")
    put(tmp_path, "tests/test.sh", "secret test")
    task = load_task(tmp_path)
    assert (task.view.submission, task.view.workspace) == (("out.txt",), {"in.txt": b"given"})
    assert (task.spec.kind, task.spec.isolation, task.spec.timeout_s) == ("script", "process", 9.0)
    assert task.spec.files == {"tests/test.sh": b"secret test", "workspace/in.txt": b"given"}


def test_a_multi_step_harbor_task_keeps_the_order_of_its_steps(tmp_path: Path) -> None:
    root = tmp_path / "steps"
    put(root, "task.toml", '[[steps]]\nname = "zeta"\n[[steps]]\nname = "alpha"\n')
    put(root, "steps/zeta/instruction.md", "First.")
    put(root, "steps/alpha/instruction.md", "Second.")
    put(root, "steps/alpha/tests/test.sh", "x")
    task = load_task(root)
    assert task.view.instruction == "First.\n\nSecond."
    assert list(task.spec.files) == ["steps/alpha/tests/test.sh"]


def edit(name: str, text: str) -> Callable[[Path], None]:
    return lambda root: put(root, name, text)


def remove(name: str) -> Callable[[Path], None]:
    return lambda root: (root / name).unlink()


@pytest.mark.parametrize(
    ("breaking", "message"),
    [
        (remove("task.toml"), r"task\.toml: missing"),
        (edit("task.toml", "= 1"), r"task\.toml: not TOML"),
        (edit("task.toml", "metadata = 3"), r"\[metadata\] must be a table"),
        (edit("task.toml", "[metadata]\nbowerbird = 1"), "must be a table"),
        (edit("task.toml", TOML.replace('"half"', '"half()"')), "entry_point must be the name"),
        (edit("task.toml", TOML.replace('"half"', '"class"')), "entry_point must be the name"),
        (edit("task.toml", TOML.replace("difficulty = 0.3", "dificulty = 0.3")), "unknown key 'dificulty'"),
        (edit("task.toml", TOML.replace("difficulty = 0.3", "difficulty = 3")), "difficulty must be a number from 0"),
        (edit("task.toml", TOML.replace("difficulty = 0.3", "timeout_s = true")), "timeout_s must be a number"),
        (edit("task.toml", TOML.replace("difficulty = 0.3", 'kind = "guess"')), "kind 'guess' is not known"),
        (edit("task.toml", TOML.replace("difficulty = 0.3", "canaries = []")), "unknown key 'canaries'.*'oracle'"),
        (edit("task.toml", TOML.replace("difficulty = 0.3", 'kind = "pytest"')), "expected_tests is missing"),
        (edit("task.toml", TOML.replace("difficulty = 0.3", 'kind = "script"')), r"test\.sh: missing"),
        (edit("task.toml", TOML.replace("difficulty = 0.3", 'submission = ["../x"]')), "plain path"),
        (edit("task.toml", TOML.replace("difficulty = 0.3", "submission = []")), "list of file names"),
        (edit("task.toml", TOML.replace('"org/half"', '""')), "non-empty string"),
        (remove("instruction.md"), r"instruction\.md: missing"),
        (edit("instruction.md", " \n"), r"instruction\.md: empty"),
        (remove("tests/cases.json"), r"cases\.json: missing"),
        (edit("tests/cases.json", "[]"), "no hidden cases"),
        (edit("tests/cases.json", "{"), r"cases\.json: not JSON"),
        (edit("tests/cases.json", '{"args": []}'), "must be a list"),
        (edit("tests/cases.json", '[{"args": [1], "expected": NaN}]'), r'write \{"\$float": "nan"\}'),
        (edit("tests/cases.json", '[{"args": [1], "expected": 1}, {"args": 1, "expected": 1}]'), "case 2"),
        (edit("tests/cases.json", '[{"args": [1], "expect": 1}]'), '"expected"'),
        (edit("tests/cases.json", '[{"args": [1], "expected": 1, "x": 1}]'), "unknown key 'x'"),
        (edit("tests/cases.json", '[{"args": [1], "expected": 1, "kwargs": []}]'), '"kwargs" must be'),
        (lambda root: (root / "instruction.md").write_bytes(b"\xff"), "not UTF-8"),
        (lambda root: (root / "environment/workspace/out").symlink_to("/etc/hostname"), "outside the task"),
    ],
)
def test_a_broken_directory_says_which_file_and_how_to_mend_it(
    oracle: Path, breaking: Callable[[Path], None], message: str
) -> None:
    breaking(oracle)
    with pytest.raises(TaskError, match=message) as caught:
        load_task(oracle)
    assert str(oracle) in str(caught.value)


def test_a_harbor_task_without_tests_is_refused(tmp_path: Path) -> None:
    put(tmp_path, "task.toml", "")
    put(tmp_path, "instruction.md", "x")
    with pytest.raises(TaskError, match=r"needs tests/test\.sh"):
        load_task(tmp_path)


def test_a_folder_of_tasks_loads_recursively_and_skips_hidden_folders(oracle: Path) -> None:
    put(oracle.parent, ".cache/old/task.toml", "broken")
    put(oracle.parent, "more/deep/script/task.toml", "")
    put(oracle.parent, "more/deep/script/instruction.md", "x")
    put(oracle.parent, "more/deep/script/tests/test.sh", "x")
    assert list(load_tasks(oracle.parent)) == ["org/half", "script"]
    assert list(load_tasks(oracle)) == ["org/half"]


def test_a_folder_without_tasks_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match=r"no task\.toml"):
        load_tasks(tmp_path)
    with pytest.raises(TaskError, match="no such directory"):
        load_tasks(tmp_path / "missing")


def test_requirements_git_and_a_whole_workspace(oracle: Path) -> None:
    put(oracle, "environment/needs.txt", "numpy==2.1\n")
    put(
        oracle,
        "task.toml",
        TOML.replace("difficulty = 0.3", 'submission = ["*"]\ngit = true\nrequirements = "needs.txt"'),
    )
    task = load_task(oracle)
    assert task.view.submission == WHOLE
    assert task.view.git
    assert task.view.requirements == task.spec.requirements == "numpy==2.1\n"


@pytest.mark.parametrize("line", ["git = 1", 'requirements = "gone.txt"', 'requirements = "../tests/cases.json/x"'])
def test_bad_surroundings_are_refused(oracle: Path, line: str) -> None:
    put(oracle, "task.toml", TOML.replace("difficulty = 0.3", line))
    with pytest.raises(TaskError, match=line.partition(" ")[0]):
        load_task(oracle)
