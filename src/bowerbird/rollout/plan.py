"""The plan tier: walk the nodes, each a turn loop with its own prompt, tools and share of the tokens."""

from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import suppress

from bowerbird.inference.chat import Chat, Message
from bowerbird.rollout.agent import Manner, work
from bowerbird.rollout.budget import Budget
from bowerbird.rollout.effects import Effect, Reply, Run
from bowerbird.rollout.host import Exhausted, Host, Refused
from bowerbird.rollout.tools import manual
from bowerbird.scaffold.plan import SUBMIT, Node, Plan
from bowerbird.types import WHOLE, TaskView

_ROLES = {
    "explore": "You explore a repository and find out what a task is about. You change nothing.",
    "plan": "You plan how a task is to be solved, and write the plan down.",
    "write": "You solve programming tasks by changing files.",
    "test": "You test what was done, and say what is wrong with it.",
    "review": "You review a change and correct what is wrong with it.",
}


def run_plan(task: TaskView, plan: Plan, chat: Chat, budget: Budget, seed: int) -> Run:
    """Walk the plan. Never raises for what the model did; running out of budget ends the run with what there is."""
    host = Host(task, chat, budget, seed, actor="model")
    nodes = {node.id: node for node in plan.nodes}
    visits: Counter[str] = Counter()
    at = plan.nodes[0].id
    try:
        while at != SUBMIT and visits[at] <= plan.retries:
            visits[at] += 1
            ok = yield from _visit(host, plan, nodes[at])
            if not ok and plan.on_error == "stop":
                break
            at = nodes[at].next.ok if ok else nodes[at].next.fail
    except Exhausted as spent:
        host.log.append({"event": "exhausted", "what": str(spent)})
    return host.draft()


def _visit(host: Host, plan: Plan, node: Node) -> Generator[Effect, Reply, bool]:
    host.log.append({"event": "node", "id": node.id})
    before = (yield from _saved(host)) if plan.on_error == "revert" else 0
    tools = tuple(name for name in (*node.tools, SUBMIT) if name in host.budget.tools)  # an old plan may name others
    manner = Manner(
        turns=plan.max_steps,
        tools=tools,
        tokens=host.budget.tokens * node.budget_share // 100,
        memory=plan.memory,
        k=plan.k,
        view=plan.view,
        temperature=plan.temperature,
        native=host.native_tools,
    )
    ok = yield from work(host, _opening(host, node, tools), manner)
    if "tests" in node.tools and (host.task.visible or host.task.examples):
        ok, _ = yield from host.visible_tests()
    if not ok and before:
        with suppress(Refused):  # what cannot be undone stays
            yield from host.restore(before)
    return ok


def _saved(host: Host) -> Generator[Effect, Reply, int]:
    """A snapshot to come back to; 0 where the files cannot be copied."""
    try:
        return (yield from host.snapshot())
    except Refused:
        return 0


def _opening(host: Host, node: Node, tools: Sequence[str]) -> list[Message]:
    task = host.task
    parts = [task.instruction]
    if task.workspace:
        names = sorted(task.workspace)
        shown = ", ".join(names[:40]) + (f" and {len(names) - 40} more" if len(names) > 40 else "")
        parts.append(f"Files: {shown}")
    if 0 < len(task.submission) <= 8 and task.submission != WHOLE:
        parts.append(f"The answer is what stands in {', '.join(task.submission)} at the end.")
    parts += [f"{name}: {text}" for name, text in host.notes.items()]
    parts.append(node.prompt)
    fenced = manual(host.budget.tools[name] for name in tools)
    how = "Call one tool a turn, and read what comes of it." if host.native_tools else fenced
    system = f"{_ROLES[node.role]}\n{how}"
    return [{"role": "system", "content": system}, {"role": "user", "content": "\n\n".join(parts)}]
