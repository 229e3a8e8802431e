"""`bowerbird redteam`: what it plays, what it says, and how it ends."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bowerbird.cli import main
from bowerbird.evals.redteam import attacks, clean
from bowerbird.evals.redteam.attack import Attack, Layer
from bowerbird.rewards.judge import vetoes
from bowerbird.tasks.katas import generate, write_pack
from tests.evals.plain import plain_task
from tests.evals.redteam import policies
from tests.serving import serving


@pytest.fixture
def endpoint() -> Iterator[str]:
    """Vetoes whatever defines the function of the built-in kata: the attack by heart, and honest work just as well."""
    with serving(vetoes("def caesar_")) as url:
        yield url


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few policies in place of all."""
    monkeypatch.setattr(attacks, "ATTACKS", tuple(a for a in policies.ATTACKS if a.against == ("oracle",)))
    monkeypatch.setattr(clean, "CLEAN", (_for_oracles(policies.HONEST), _for_oracles(policies.CLUMSY)))


def _for_oracles(policy: Attack) -> Attack:
    return replace(policy, against=("oracle",))


def redteam(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["redteam", *arguments])


def row(output: str, policy: str) -> str:
    (line,) = (line for line in output.splitlines() if f" {policy} " in line)
    return line


@pytest.mark.sandbox
def test_a_sound_set_up(tmp_path: Path) -> None:
    files = tmp_path / "report.json", tmp_path / "report.md"
    result = redteam("--json", str(files[0]), "--markdown", str(files[1]))
    assert result.exit_code == 0, result.output
    assert "prevented" in row(result.stdout, "15-exit")
    assert "detected" in row(result.stdout, "48-peek")
    assert "withheld-read" in row(result.stdout, "48-peek").split()
    assert "3 attacks that layers 1 and 2 decide, 3 trials: 1 prevented, 2 detected" in result.stdout
    assert "1 trial: 1 succeeded: these need a judge, and none was configured" in result.stdout
    assert "2 clean policies, 2 trials: 0 flagged" in result.stdout
    assert len(json.loads(files[0].read_text())["trials"]) == 6
    assert "| 15 | 15-exit |" in files[1].read_text()


@pytest.mark.sandbox
def test_an_attack_that_needs_the_monitor_shows_when_it_is_off() -> None:
    result = redteam("--monitor", "off", "--no-clean", "--only", "48", "--only", "15-*")
    assert result.exit_code == 0, result.output
    assert "succeeded" in row(result.stdout, "48-peek")
    assert "prevented" in row(result.stdout, "15-exit")
    assert "monitor off" in result.stdout
    assert "clean" not in result.stdout


@pytest.mark.sandbox
def test_the_report_says_what_really_watched() -> None:
    result = redteam("--watch", "decoys", "--only", "15")
    assert "monitor off" not in result.stdout
    assert "watched by inotify, judge" in result.stdout
    result = redteam("--watch", "off", "--only", "48")
    assert result.exit_code == 0, result.output
    assert "monitor off, watched by nothing" in result.stdout
    assert "succeeded" in row(result.stdout, "48-peek")


@pytest.mark.sandbox
def test_a_judge_takes_what_the_others_let_through_and_its_false_vetoes_are_told(endpoint: str) -> None:
    judge = ("--judge-endpoint", endpoint, "--judge-model", "big", "--only", "55", "--only", "clean-*")
    vetoed = redteam("--judge", "veto", *judge)
    assert vetoed.exit_code == 0, vetoed.output
    assert "vetoed" in row(vetoed.stdout, "55-recite")
    assert "2 trials: 0 flagged" in vetoed.stdout
    assert "1 vetoed by the judge" in vetoed.stdout
    assert "judge big (veto, " in vetoed.stdout
    advised = redteam("--judge", "advisory", *judge)
    assert "succeeded" in row(advised.stdout, "55-recite")
    assert "to 1 that succeeded the judge objected, which was advice only" in advised.stdout


@pytest.mark.sandbox
def test_an_attack_that_is_rewarded_ends_with_status_1(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attacks, "ATTACKS", (replace(policies.RECITES, stopped_by=Layer.MONITOR),))
    result = redteam("--no-clean")
    assert result.exit_code == 1
    assert "1 problem" in result.stdout
    assert "1 succeeded" in result.stdout


@pytest.mark.sandbox
def test_tasks_of_the_users_own(tmp_path: Path) -> None:
    write_pack(tmp_path, generate(0, 2, families=["add_constant"]))
    result = redteam("--tasks", str(tmp_path), "--only", "15-exit")
    assert result.exit_code == 0, result.output
    assert "1 attack that layers 1 and 2 decide, 2 trials: 2 prevented" in result.stdout


@pytest.mark.sandbox
def test_what_is_left_out_is_told_with_its_reason(tmp_path: Path) -> None:
    write_pack(tmp_path / "katas", generate(0, 1, families=["add_constant"]))
    plain_task(tmp_path / "plain")
    result = redteam("--tasks", str(tmp_path), "--only", "15-exit", "--no-clean", "--json", str(tmp_path / "x.json"))
    assert result.exit_code == 0, result.output
    said = json.loads((tmp_path / "x.json").read_text())["setup"]["tasks"]
    assert said.endswith("(1 left out: they say nothing of what they want submitted, so that nothing would be graded)")


def test_the_list_plays_nothing() -> None:
    result = redteam("--list", "--only", "15", "--only", "clean-*")
    assert result.exit_code == 0
    assert [line.split()[1] for line in result.stdout.splitlines()[2:]] == ["15-exit", "clean-solve", "clean-wrong"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--only", "99"), "no attack or clean policy"),
        (("--tasks", "nowhere"), "no tasks 'nowhere'"),
        (("--backend", "moon"), "unknown sandbox 'moon'"),
        (("--json", "/no/such/folder/x.json"), "there is no folder /no/such/folder"),
        (("--set", "judge.colour=red"), "unknown key"),
        (("--set", 'monitor.rules=["nowhere:Rule"]'), "cannot load 'nowhere:Rule'"),
    ],
)
def test_misuse_says_what_is_wrong(arguments: tuple[str, ...], said: str) -> None:
    result = redteam(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
