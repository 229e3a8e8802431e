"""`bowerbird tasks`: list, show, check, write, on katas, folders and files."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import bowerbird.tasks
from bowerbird.cli import main
from bowerbird.tasks import load_tasks
from bowerbird.tasks.katas import generate, write_pack
from bowerbird.tasks.repos import generate as generate_repos

ADD = {
    "task_id": 1,
    "text": "Write a function that adds two numbers.",
    "code": "def add(a, b):\n    return a + b\n",
    "test_list": ["assert add(1, 2) == 3", "assert add(0, 0) == 0", "assert add(-1, 5) == 4"],
}


def tasks(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["tasks", *(str(each) for each in arguments)])


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    write_pack(tmp_path / "pack", generate(seed=5, count=2))
    return tmp_path / "pack"


def test_list_katas() -> None:
    result = tasks("list", "--count", "4", "--seed", "2")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "4 tasks"
    assert [line.split()[0] for line in lines[2:]] == [kata.view.task_id for kata in generate(2, 4)]


def test_list_a_folder(pack: Path) -> None:
    ids = list(load_tasks(pack))
    assert [line.split()[0] for line in tasks("list", pack).stdout.splitlines()[2:]] == ids


def test_show_has_the_public_half_and_nothing_of_the_other(pack: Path) -> None:
    kata = generate(seed=5, count=1)[0]
    result = tasks("show", kata.view.task_id, pack)
    assert result.exit_code == 0
    assert kata.view.instruction in result.stdout
    assert result.stdout.count(f"  {kata.view.entry_point}(") == len(kata.view.examples)
    assert kata.solution not in result.stdout
    shown = {json.dumps(case.args) for case in kata.view.examples}
    for case in kata.spec.cases:
        if json.dumps(case.args) not in shown:
            call = f"{kata.view.entry_point}({', '.join(map(repr, case.args))}) =="
            assert call not in result.stdout


def test_show_finds_a_kata_whatever_the_seed() -> None:
    kata = generate(seed=77, count=1)[0]
    assert kata.view.instruction in tasks("show", kata.view.task_id).stdout


def test_checkout_writes_what_a_task_starts_with(tmp_path: Path, pack: Path) -> None:
    (made,) = generate_repos(5, 1, families=["waymap"], levels=["easy"])
    result = tasks("checkout", made.view.task_id, "repos", tmp_path / "to")
    assert result.exit_code == 0, result.output
    assert result.stdout.strip() == made.view.instruction
    assert {name: (tmp_path / "to" / name).read_bytes() for name in made.view.workspace} == made.view.workspace
    for again in (tasks("checkout", made.view.task_id, "repos", tmp_path / "to"), tasks("checkout", "x", pack, "y")):
        assert again.exit_code == 2


def test_show_decodes_values_and_escapes_the_rest(tmp_path: Path) -> None:
    row = {
        **ADD,
        "text": "Add\x1b[2J them.",
        "test_list": ["assert add((1,), (2,)) == (1, 2)", "assert add('', '') == ''"],
    }
    path = tmp_path / "one.jsonl"
    path.write_text(json.dumps(row) + "\n")
    result = tasks("show", "mbpp/1", path)
    assert "add((1,), (2,)) == (1, 2)" in result.stdout
    assert r"Add\x1b[2J them." in result.stdout
    assert "\x1b" not in result.stdout


def test_unknown_tasks_and_sources(pack: Path) -> None:
    for result in (tasks("show", "none", pack), tasks("list", "nowhere"), tasks("check", "nowhere")):
        assert result.exit_code == 2
        assert result.stderr.startswith("error: no task")


@pytest.mark.sandbox
def test_check_holds_for_katas_and_their_packs(pack: Path) -> None:
    for source in (["katas", "--count", "2"], [str(pack)]):
        result = tasks("check", *source)
        assert result.exit_code == 0, result.output
        trust, counts = result.stdout.splitlines()
        assert trust.startswith("graded by oracle: inputs go into the candidate's sandbox")
        assert counts == "2 tasks, 6 cheats, 0 problems"


@pytest.mark.sandbox
def test_check_finds_whatever_does_not_hold(pack: Path, tmp_path: Path) -> None:
    first, second = sorted(path.parent for path in pack.rglob("task.toml"))
    solution = (first / "solution" / "solution.py").read_text()
    (first / "solution" / "cheats" / "cheat_00.py").write_text(solution)
    (second / "solution" / "solution.py").write_text("def nothing():\n    pass\n")
    (pack / "broken").mkdir()
    (pack / "broken" / "task.toml").write_text("= no toml")
    other = pack / "other"
    (other / "tests").mkdir(parents=True)
    (other / "task.toml").write_text("")
    (other / "instruction.md").write_text("Do it.")
    (other / "tests" / "test.sh").write_text("true")
    result = tasks("check", pack)
    assert result.exit_code == 1
    assert "cheat_00.py earns 1, not 0" in result.stdout
    assert "its solution earns 0, not 1 (missing_function, 0 of" in result.stdout
    assert "not TOML" in result.stdout
    assert result.stdout.splitlines()[-1] == (
        "2 tasks, 6 cheats, 3 problems; 1 tasks were left out: each needs an image of its own"
    )


@pytest.mark.sandbox
def test_check_pytest_and_script_tasks_by_their_own_verifiers() -> None:
    result = tasks("check", Path(bowerbird.tasks.__file__).parent / "packs")
    assert result.exit_code == 0, result.output
    assert re.fullmatch(r"2 tasks, \d+ cheats, 0 problems", result.stdout.splitlines()[-1])


@pytest.mark.sandbox
def test_check_a_file(tmp_path: Path) -> None:
    wrong = {**ADD, "task_id": 2, "code": "def add(a, b):\n    return a - b\n"}
    path = tmp_path / "some.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in (ADD, wrong, {**ADD, "task_id": 3, "test_list": []})))
    result = tasks("check", path)
    assert result.exit_code == 1
    rows = {line.split()[0]: line for line in result.stdout.splitlines() if line.startswith("mbpp/")}
    assert set(rows) == {"mbpp/2", "mbpp/3"}
    assert "its solution earns 0, not 1 (wrong_answer" in rows["mbpp/2"]
    assert "skipped" in rows["mbpp/3"]


def test_write_is_a_pack_that_loads(tmp_path: Path) -> None:
    result = tasks("write", tmp_path / "out", "--count", "3", "--seed", "9", "--pool", "heldout")
    assert result.exit_code == 0
    assert result.stdout == f"wrote 3 tasks to {tmp_path / 'out'}\n"
    assert set(load_tasks(tmp_path / "out")) == {kata.view.task_id for kata in generate(9, 3, pool="heldout")}


def test_write_refuses_what_is_there_and_what_is_not_known(tmp_path: Path) -> None:
    assert tasks("write", tmp_path / "out", "--count", "1").exit_code == 0
    again = tasks("write", tmp_path / "out", "--count", "1")
    assert (again.exit_code, "not empty" in again.stderr) == (2, True)
    unknown = tasks("write", tmp_path / "new", "--family", "nope")
    assert (unknown.exit_code, "unknown kata families nope" in unknown.stderr) == (2, True)
    assert tasks("write", tmp_path / "new", "--count", "0").exit_code == 2
