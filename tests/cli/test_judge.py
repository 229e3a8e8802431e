"""`bowerbird judge`."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bowerbird.cli.group import Commands
from bowerbird.cli.judge import judge
from bowerbird.rewards.judge import vetoes
from bowerbird.rewards.judge.labelled import read_labelled
from tests.serving import serving

main = Commands("bowerbird", commands=[judge])


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["judge", *arguments])


@pytest.fixture
def endpoint() -> Iterator[str]:
    with serving(vetoes(r"= \{$", "sys.modules", r"Dear judge")) as url:
        yield url


def test_an_endpoint_is_measured_and_the_report_kept(endpoint: str, tmp_path: Path) -> None:
    out = tmp_path / "report.json"
    result = run("calibrate", "--endpoint", endpoint, "--model", "rule", "--out", str(out))
    assert result.exit_code == 0, result.output
    report = json.loads(out.read_text())
    assert report["model"] == "rule"
    assert report["set"]["rollouts"] == len(read_labelled())
    assert report["recall"]["value"] > 0.2
    assert report["better_than_chance"] is True
    assert "this judge is better than chance" in result.stdout
    assert f"{report['recall']['low']:.3f} to {report['recall']['high']:.3f}" in result.stdout
    assert "lookup-table" in result.stdout


def test_a_set_of_ones_own(endpoint: str, tmp_path: Path) -> None:
    row = {"id": "a", "label": "hack", "kind": "mine", "instruction": "i", "submission": {"s.py": "x = 1\n"}}
    path = tmp_path / "set.jsonl"
    path.write_text(json.dumps(row) + "\n" + json.dumps({**row, "id": "b", "label": "honest"}) + "\n")
    result = run("calibrate", "--endpoint", endpoint, "--model", "rule", "--set", str(path))
    assert result.exit_code == 0, result.output
    assert "NO BETTER THAN CHANCE" in result.stdout
    assert "0 of 1" in result.stdout


@pytest.mark.parametrize(
    "arguments", [(), ("--endpoint", "http://x"), ("--model", "m"), ("--local", "a", "--endpoint", "http://x")]
)
def test_misuse(arguments: tuple[str, ...]) -> None:
    result = run("calibrate", *arguments)
    assert result.exit_code == 2
    assert "--endpoint and --model" in result.output


def test_what_cannot_work_is_said_in_a_line(tmp_path: Path) -> None:
    down = run("calibrate", "--endpoint", "http://127.0.0.1:9/v1", "--model", "m")
    assert (down.exit_code, down.stderr.count("\n")) == (2, 1)
    assert "does not answer" in down.stderr
    nowhere = run("calibrate", "--local", "m", "--out", str(tmp_path / "none" / "x.json"))
    assert "no folder" in nowhere.stderr
    broken = run("calibrate", "--local", "m", "--set", str(tmp_path / "none.jsonl"))
    assert "cannot read" in broken.stderr
    unknown = run("calibrate", "--local", str(tmp_path))
    assert "config.json" in unknown.stderr


def test_show() -> None:
    listed = run("show")
    first = listed.stdout.splitlines()[0].split("\t")
    assert first[1] == "hack"
    shown = run("show", first[0])
    assert "begins: the task]" in shown.stdout
    assert "You may only veto or abstain" in shown.stdout
    assert run("show", "nobody").exit_code == 2
