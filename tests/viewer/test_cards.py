"""Best cards and lineages."""

from collections.abc import Mapping

import pytest

from bowerbird.types import JsonValue, RunError
from bowerbird.viewer.cards import card_text, lineage_lines, rank_cards
from bowerbird.viewer.run_folder import ScaffoldRow
from tests.viewer.runs import CARD


def row(
    scaffold_id: str,
    value: float = 0.5,
    *,
    step: int = 1,
    parent: str | None = None,
    outcome: str = "valid",
    invalid: str | None = None,
    **fields: JsonValue,
) -> ScaffoldRow:
    spec: Mapping[str, JsonValue] | None = None if invalid else CARD | fields
    return ScaffoldRow(scaffold_id, step, "katas/a", "adding", parent, "text", invalid, outcome, value, None, spec)


def test_equal_cards_are_taken_together_and_one_lucky_try_does_not_lead() -> None:
    """Overall mean (0.8 * 6 + 1.0 + 0.2 * 5) / 12 = 0.5667. Steady: (4.8 + 2.2667) / 10 = 0.7067.
    Lucky: (1 + 2.2667) / 5 = 0.6533. Poor: (1 + 2.2667) / 9 = 0.363."""
    rows = [row(f"s{i}", 0.8, step=i, candidates=3) for i in range(6)]
    rows += [row("lucky", 1.0, step=3, candidates=4)]
    rows += [row(f"p{i}", 0.2, candidates=1) for i in range(5)]
    ranked = rank_cards(rows)
    assert [card.spec["candidates"] for card in ranked] == [3, 4, 1]
    assert [card.score for card in ranked] == pytest.approx([0.70667, 0.65333, 0.36296], abs=1e-5)
    assert (ranked[0].uses, ranked[0].first_step, ranked[0].last_step) == (6, 0, 5)
    assert ranked[0].mean == pytest.approx(0.8)
    assert ranked[0].best.scaffold_id == "s5"


def test_only_what_counted_is_ranked() -> None:
    rows = [row("i", 0.0, invalid="not JSON"), row("h", 0.0, outcome="hacked"), row("e", 0.0, outcome="infra_error")]
    assert rank_cards(rows) == []
    (only,) = rank_cards([*rows, row("ok", 0.25)])
    assert (only.mean, only.score) == (0.25, 0.25)


def test_the_order_of_fields_does_not_make_another_card() -> None:
    a, b = row("a"), row("b")
    turned = ScaffoldRow(
        **{name: getattr(b, name) for name in ScaffoldRow.__slots__} | {"spec": dict(reversed(CARD.items()))}
    )
    (card,) = rank_cards([a, turned])
    assert card.uses == 2


def test_card_text_is_in_order_and_escaped() -> None:
    assert card_text({"b": 1, "a": "x\x1b"}) == r"b 1, a x\x1b"


ROWS = [
    row("1-0-0", 0.0, candidates=1),
    row("2-0-0", 0.25, step=2, parent="1-0-0", candidates=3),
    row("2-0-1", 0.0, step=2, parent="1-0-0", invalid="not JSON"),
    row("3-0-0", 1.0, step=3, parent="2-0-0", candidates=3, select="vote"),
    row("3-0-1", 0.0, step=3, parent="2-0-0", outcome="hacked", candidates=3),
    row("4-0-0", 0.5, step=4, parent="3-0-0", candidates=2, select="vote"),
]


def test_a_lineage_has_forebears_above_and_descendants_below() -> None:
    assert lineage_lines(ROWS, "2-0-0") == [
        f"1-0-0  return 0.00  step 1  {card_text(CARD)}",
        "└─ * 2-0-0  return 0.25  step 2  candidates 1 → 3",
        "  └─ 3-0-0  return 1.00  step 3  select first → vote",
        "    └─ 4-0-0  return 0.50  step 4  candidates 3 → 2",
        "  └─ 3-0-1  hacked  step 3  unchanged",
    ]


def test_invalid_scaffolds_say_why() -> None:
    assert lineage_lines(ROWS, "2-0-1")[1] == "└─ * 2-0-1  invalid (not JSON)  step 2  text"


def test_a_parent_from_before_the_run_is_no_forebear() -> None:
    (line,) = lineage_lines([row("5-0-0", parent="gone")], "5-0-0")
    assert line.startswith("* 5-0-0")


def test_many_descendants_are_cut() -> None:
    rows = [row("root")] + [row(f"c{i}", parent="root") for i in range(50)]
    lines = lineage_lines(rows, "root", shown=10)
    assert len(lines) == 12
    assert lines[-1] == "… and 40 more descendants"


def test_a_long_line_of_descent_is_no_recursion() -> None:
    rows = [row("0")] + [row(str(i), parent=str(i - 1)) for i in range(1, 3000)]
    assert len(lineage_lines(rows, "2999")) == 3000
    assert len(lineage_lines(rows, "0", shown=5000)) == 3000


def test_a_damaged_cycle_ends() -> None:
    rows = [row("a", parent="b"), row("b", parent="a")]
    assert len(lineage_lines(rows, "a")) == 2


def test_an_unknown_scaffold_is_an_error() -> None:
    with pytest.raises(RunError, match="no scaffold 'x'"):
        lineage_lines(ROWS, "x")
