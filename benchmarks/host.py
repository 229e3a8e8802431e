"""What a program in a sandbox of its own costs: host calls per second, and milliseconds that it adds to a turn.

Both sides make the same TURNS model calls, to a model that answers at once, each followed by a note. `plan` is the turn
loop in this process; `program` asks for each over its descriptor. Calls per second are those of a program that asks for
nothing but its budget.
"""

import os
from time import perf_counter

from sides import Measured, main

from bowerbird.inference.fake import FakeSampler, byte_chat
from bowerbird.rollout.alone import run_alone
from bowerbird.rollout.budget import Budget
from bowerbird.rollout.desk import Desk
from bowerbird.rollout.plan import run_plan
from bowerbird.rollout.program import command, run_program
from bowerbird.sandbox import open_sandbox
from bowerbird.scaffold.plan import REACT, Plan
from bowerbird.types import TaskView

TURNS, CALLS = 400, 9_000
TASK = TaskView("bench", "bench", "Note something.", "", (), ())
BUDGET = Budget(tokens=1 << 30, calls=1 << 20, actions=1 << 20, call_tokens=1 << 12)
ANSWER = "```note a\nwords\n```"
MANY = "def run(h):\n    for _ in range(%d):\n        h.budget()\n    h.llm('x')\n"
SAME = f"""
def run(h):
    task = h.task()
    for _ in range({TURNS}):
        h.llm([{{"role": "user", "content": task["instruction"]}}])
        h.note_put("a", "words")
"""


def timed(source: str) -> float:
    """Seconds of a program, its sandbox's start included."""
    chat, sandbox = byte_chat(), open_sandbox("local", watch="off")
    desk = Desk(sandbox, TASK, command())
    start = perf_counter()
    draft = run_alone(
        run_program(TASK, source, chat, BUDGET, 0), TASK, FakeSampler(chat, lambda _: ANSWER), sandbox, desk
    )
    seconds = perf_counter() - start
    desk.close()
    ended = [event for event in draft.log if event["event"] == "program"]
    assert [event["exit"] for event in ended] == [0], ended
    return seconds


def program() -> Measured:
    empty = timed("def run(h):\n    h.llm('x')\n")
    return {"ms a turn": 1e3 * (timed(SAME) - empty) / TURNS, "calls/s": CALLS / (timed(MANY % CALLS) - empty)}


def plan() -> Measured:
    node = REACT.nodes[0].model_copy(update={"tools": ("note",)})
    chat, sandbox = byte_chat(), open_sandbox("local", watch="off")
    walked = Plan.model_construct(**(dict(REACT) | {"nodes": (node,), "max_steps": TURNS, "memory": "none"}))
    desk = Desk(sandbox, TASK)
    start = perf_counter()
    draft = run_alone(run_plan(TASK, walked, chat, BUDGET, 0), TASK, FakeSampler(chat, lambda _: ANSWER), sandbox, desk)
    seconds = perf_counter() - start
    assert len(draft.calls) == TURNS
    return {"ms a turn": 1e3 * seconds / TURNS}


if __name__ == "__main__":
    rounds = int(os.environ.get("ROUNDS", "5"))
    main({"program": program, "plan": plan}, "ms a turn", better="lower", rounds=rounds)
