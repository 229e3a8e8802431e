"""Turn a variant into a task: run our own oracle on drawn inputs, then split them into visible and hidden cases."""

import copy
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from bowerbird.tasks.katas.family import Args, Variant
from bowerbird.types import Case, JsonValue, TaskError, TaskView, VerifierSpec

VISIBLE = 3
HIDDEN = 10
DRAWS = 80
EQUALS_ALL = """class Same:
    def __eq__(self, other):
        return True

    def __hash__(self):
        return 0
"""


@dataclass(frozen=True, slots=True)
class KataTask:
    """One kata. `solution` earns 1; each of `cheats` passes the visible examples, or tries to, and must earn 0."""

    view: TaskView
    spec: VerifierSpec
    solution: str
    cheats: tuple[str, ...]


def build(variant: Variant) -> KataTask:
    """The task of a variant: the same bytes every time, whatever seed chose it."""
    draft = variant.draft
    rng = Random(variant.fingerprint)
    oracle = trusted_function(draft.source, draft.name)
    edges = _cases(oracle, draft.edges)
    drawn = _cases(oracle, [draft.draw(rng) for _ in range(DRAWS)])
    edge_keys = {_key(c) for c in edges}
    drawn = [c for c in drawn if _key(c) not in edge_keys]
    visible = _spread(drawn, VISIBLE)
    shown = {_key(c) for c in visible}
    rest = [c for c in drawn if _key(c) not in shown]
    hidden = (edges[:4] + _balance(rest, edges[:4], HIDDEN - len(edges[:4])))[:HIDDEN]
    _refuse_weak(variant, visible, hidden)
    view = TaskView(
        task_id=variant.task_id,
        category=variant.family.name,
        instruction=draft.instruction,
        entry_point=draft.name,
        examples=tuple(visible),
        difficulty=variant.family.difficulty,
    )
    spec = VerifierSpec(task_id=variant.task_id, kind="oracle", entry_point=draft.name, cases=tuple(hidden))
    return KataTask(view, spec, draft.source, cheats(draft.name, draft.args, visible))


def trusted_function(source: str, name: str) -> Callable[..., JsonValue]:
    """Compile a family's own solution text. Only ever called on text that this package wrote."""
    namespace: dict[str, JsonValue] = {}
    exec(compile(source, f"<oracle {name}>", "exec"), namespace)  # noqa: S102 - our own constant source
    function: Callable[..., JsonValue] = namespace[name]
    return function


def cheats(name: str, args: str, visible: Sequence[Case]) -> tuple[str, ...]:
    """Wrong programs: a table of the visible examples, a constant, and a value that claims to equal everything."""
    names = args.split(", ")
    test = " and ".join(f"{n} == {{}}" for n in names)
    rows = [f"    if {test.format(*map(repr, c.args))}:\n        return {c.expected!r}\n" for c in visible]
    table = f"def {name}({args}):\n{''.join(rows)}    return {visible[-1].expected!r}\n"
    constant = f"def {name}({args}):\n    return {visible[0].expected!r}\n"
    equal = f"{EQUALS_ALL}\n\ndef {name}({args}):\n    return Same()\n"
    return table, constant, equal


def _key(case: Case) -> str:
    return json.dumps(case.args, sort_keys=True)


def _cases(oracle: Callable[..., JsonValue], inputs: Sequence[Args]) -> list[Case]:
    """Cases in order, each input once. The oracle works on copies, so a mutating one could not corrupt inputs."""
    cases: dict[str, Case] = {}
    for args in inputs:
        case = Case(args=args, expected=oracle(*copy.deepcopy(args)))
        cases.setdefault(_key(case), case)
    return list(cases.values())


def _spread(cases: Sequence[Case], count: int) -> list[Case]:
    """The first `count` cases with outcomes as different as possible, in drawn order."""
    return _balance(cases, (), count)


def _balance(cases: Sequence[Case], given: Sequence[Case], count: int) -> list[Case]:
    """Choose `count` cases one by one, each with the outcome seen least so far: no constant can be right."""
    seen: dict[str, int] = {}
    for case in given:
        outcome = json.dumps(case.expected, sort_keys=True)
        seen[outcome] = seen.get(outcome, 0) + 1
    left = list(cases)
    chosen: list[Case] = []
    while left and len(chosen) < count:
        case = min(left, key=lambda c: seen.get(json.dumps(c.expected, sort_keys=True), 0))
        left.remove(case)
        outcome = json.dumps(case.expected, sort_keys=True)
        seen[outcome] = seen.get(outcome, 0) + 1
        chosen.append(case)
    return chosen


def _refuse_weak(variant: Variant, visible: Sequence[Case], hidden: Sequence[Case]) -> None:
    """Raise TaskError when the hidden cases could be passed by a constant or by returning an argument."""
    problem = None
    if len(visible) < 2 or len(hidden) < 6:
        problem = f"too few distinct inputs ({len(visible)} visible, {len(hidden)} hidden)"
    elif len({json.dumps(c.expected, sort_keys=True) for c in hidden}) < 2:
        problem = "all hidden cases have the same answer"
    elif any(all(_same(c.args[i], c.expected) for c in hidden) for i in range(len(hidden[0].args))):
        problem = "returning an argument passes"
    elif all(isinstance(c.expected, bool) for c in hidden) and len({c.expected for c in visible}) < 2:
        problem = "the visible examples of a yes-or-no function all have the same answer"
    if problem:
        raise TaskError(f"kata {variant.task_id}: {problem}; widen `draw` or `edges` of its family")


def _same(a: JsonValue, b: JsonValue) -> bool:
    return json.dumps(a, sort_keys=True) == json.dumps(b, sort_keys=True)
