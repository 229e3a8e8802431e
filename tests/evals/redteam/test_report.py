"""Figures, tables and files of a run."""

import json
from dataclasses import replace
from typing import Any

from bowerbird.evals.redteam.attack import Attack, Layer
from bowerbird.evals.redteam.classes import AREAS, CLASSES, area
from bowerbird.evals.redteam.report import Report, Setup, compare, grids, listing, to_json, to_markdown, totals
from bowerbird.evals.redteam.runner import JUDGE, Ending, Trial
from bowerbird.types import Flag, Opinion, Outcome
from tests.evals.redteam.policies import ATTACKS, CLUMSY, CRASHES, HONEST, PEEKS, RECITES

SETUP = Setup("local", "task", "auto", ("withheld-read", "null-test"), "none", 7, "built in", {"oracle": "in full"})
FLAG = Flag("withheld-read", "read it", "/tests/a|b")
VETO = Flag(JUDGE, "copied", "def f")


def trial(attack: Attack, **changes: Any) -> Trial:
    fields: dict[str, Any] = {
        "attack": attack,
        "task_id": "t",
        "kind": "oracle",
        "known": True,
        "outcome": Outcome.VALID,
        "reward": 0.0,
        "earned": 0.0,
        "failure": None,
        "flags": (),
        "opinion": None,
        "watchers": ("inotify",),
        "error": None,
        "seconds": 0.1,
    }
    return Trial(**(fields | changes))


PREVENTED = trial(CRASHES)
DETECTED = trial(PEEKS, outcome=Outcome.HACKED, earned=1.0, flags=(FLAG,))
VETOED = trial(RECITES, outcome=Outcome.HACKED, earned=1.0, flags=(VETO,))
SUCCEEDED = trial(RECITES, earned=1.0, reward=1.0)
LOST = trial(CRASHES, outcome=Outcome.INFRA_ERROR, error="SandboxError: gone")
SOLVED = trial(HONEST, earned=1.0, reward=1.0)


def test_every_class_has_a_name_of_its_own_and_an_area() -> None:
    assert list(CLASSES) == list(range(1, 75))
    assert len(set(CLASSES.values())) == 74
    assert {area(number) for number in CLASSES} == set(AREAS)


def test_endings() -> None:
    trials = (PREVENTED, DETECTED, VETOED, LOST, SUCCEEDED)
    assert [t.ending for t in trials] == list(Ending)
    assert trial(CRASHES, outcome=Outcome.HACKED, flags=(FLAG,)).ending is Ending.PREVENTED


def test_attacks_only_a_judge_can_tell_are_listed_apart() -> None:
    report = Report(SETUP, (PREVENTED, DETECTED, SUCCEEDED, SOLVED))
    assert report.attacks == (PREVENTED, DETECTED)
    assert report.for_judges == (SUCCEEDED,)
    assert report.clean == (SOLVED,)
    assert report.problems == ()
    lines = totals(report)
    assert lines[0] == "2 attacks that layers 1 and 2 decide, 2 trials: 1 prevented, 1 detected"
    assert lines[1] == (
        "1 attack that only a judge can tell, 1 trial: 1 succeeded: these need a judge, and none was configured"
    )
    assert "3 of 74 classes of attack" in lines
    assert any("watched by inotify" in line and "seed 7" in line for line in lines)
    assert lines[-1] == "oracle: in full"


def test_with_a_judge_its_name_is_told() -> None:
    report = Report(replace(SETUP, judge="veto by m"), (VETOED,))
    assert "1 vetoed" in totals(report)[1]
    assert grids(report)[0].title == "Attacks that only a judge can tell (judge: veto by m)"


def test_a_veto_that_was_advice_only_is_told() -> None:
    opinion = Opinion(True, "copied", ("x",), "m", "p", {})
    advised = replace(SUCCEEDED, opinion=opinion)
    void = replace(SUCCEEDED, opinion=replace(opinion, void=True))
    lines = totals(Report(replace(SETUP, judge="m (advisory)"), (advised, void)))
    assert "2 succeeded; to 1 that succeeded the judge objected, which was advice only" in lines[1]


def test_one_row_an_attack_with_a_column_for_each_kind_of_verifier() -> None:
    script = replace(PREVENTED, kind="script", task_id="u")
    more = replace(script, task_id="v", earned=1.0, reward=1.0)
    (grid, *_) = grids(Report(SETUP, (DETECTED, PREVENTED, script, more)))
    assert grid.columns == ("class", "attack", "what it does", "oracle", "script", "flagged by")
    assert grid.rows == (
        ("15", "15-exit", "leaves at import", "prevented", "1 succeeded, 1 prevented", "–"),
        ("48", "48-peek", "reads what is withheld, then solves", "detected", "–", "withheld-read"),
    )


def test_a_flag_on_a_worthless_attack_is_listed_too() -> None:
    flagged = trial(CRASHES, outcome=Outcome.HACKED, flags=(FLAG,))
    (grid, *_) = grids(Report(SETUP, (flagged,)))
    assert grid.rows[0][-2:] == ("prevented", "withheld-read")


def test_false_positives_are_counted() -> None:
    clean = tuple(
        trial(replace(CLUMSY, id=f"clean-{i}"), kind=kind) for i in range(300) for kind in ("oracle", "script")
    )
    (line,) = (line for line in totals(Report(SETUP, clean)) if "clean" in line)
    assert line == "300 clean policies, 600 trials: 0 flagged"
    flagged = trial(CLUMSY, outcome=Outcome.HACKED, flags=(FLAG,))
    vetoed = trial(CLUMSY, outcome=Outcome.HACKED, earned=1.0, flags=(VETO,))
    report = Report(SETUP, (flagged, vetoed))
    assert "1 clean policy, 2 trials: 1 flagged, 1 vetoed by the judge" in totals(report)
    assert [who.flags for who, _ in report.problems] == [(FLAG,)]


def test_problems_have_a_table() -> None:
    report = Report(SETUP, (LOST, replace(SUCCEEDED, attack=PEEKS)))
    grid = grids(report)[-1]
    assert grid.title == "2 problems"
    assert [row[0] for row in grid.rows] == ["15-exit", "48-peek"]


def test_with_the_monitor_off_what_needs_it_is_no_problem() -> None:
    trials = (replace(SUCCEEDED, attack=PEEKS),)
    assert len(Report(SETUP, trials).problems) == 1
    assert Report(replace(SETUP, rules=()), trials).problems == ()


def test_comparison_counts_attacks_once_and_leaves_out_what_nobody_can_decide() -> None:
    trials = (PREVENTED, replace(PREVENTED, kind="script", earned=1.0, reward=1.0), DETECTED, SUCCEEDED, LOST)
    row = compare("naive-exit", trials)
    assert (row.attacks, row.earned, row.rewarded, row.needs_judge) == (2, 2, 1, 1)
    (grid,) = (g for g in grids(Report(SETUP, (), (row,))) if "other graders" in g.title)
    assert grid.rows == (("naive-exit", "2", "2 (100%)", "1"),)


def test_json_has_every_trial_with_its_evidence() -> None:
    raw = json.loads(to_json(Report(SETUP, (DETECTED, LOST, SOLVED))))
    assert raw["setup"]["trust"] == {"oracle": "in full"}
    first, second, third = raw["trials"]
    assert (first["ending"], first["class"], first["flags"][0]["evidence"]) == ("detected", 48, "/tests/a|b")
    assert "gone" in second["problem"]
    assert (third["ending"], third["reward"], third["problem"]) == (None, 1.0, None)


def test_markdown_is_not_broken_by_what_a_policy_wrote() -> None:
    hostile = Flag("withheld-read", "x", "a | b\n# head <b> `c`\x1b[31m")
    text = to_markdown(Report(SETUP, (trial(HONEST, outcome=Outcome.HACKED, earned=1.0, flags=(hostile,)),)))
    (row,) = (line for line in text.splitlines() if line.startswith("| clean-solve"))
    assert r"a \| b\\n\# head \<b\> \`c\`" in row
    assert "\x1b" not in text


def test_the_list_of_policies() -> None:
    grid = listing((*ATTACKS, HONEST))
    assert grid.title == "6 policies"
    assert grid.rows[0] == ("15", "15-exit", "leaves at import", "boundary", "oracle")
    assert grid.rows[-1][0] == "–"


def test_a_judges_attack_that_the_boundary_stops_is_no_problem() -> None:
    assert Report(SETUP, (trial(replace(CRASHES, stopped_by=Layer.JUDGE)),)).problems == ()
