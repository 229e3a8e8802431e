"""One rollout by itself, in the foreground: what `bowerbird solve` runs, and whoever wants to look on."""

from collections.abc import Callable
from typing import cast

from bowerbird.inference.protocol import Sampler
from bowerbird.rollout.checks import check_visible
from bowerbird.rollout.desk import Desk
from bowerbird.rollout.driver import CHECK_LIMITS
from bowerbird.rollout.effects import Ask, Check, Draft, Effect, Reply, Run
from bowerbird.sandbox import Sandbox
from bowerbird.types import TaskView

Looker = Callable[[Effect, Reply | None], None]


def run_alone(
    run: Run, task: TaskView, sampler: Sampler, sandbox: Sandbox, desk: Desk, look: Looker = lambda *_: None
) -> Draft:
    """To its end. `look` is told each effect before it happens (reply None) and after. The desk stays open. Raises
    InfraError when the model or a sandbox is lost."""
    reply: Reply | None = None
    while True:
        try:
            effect = next(run) if reply is None else run.send(reply)
        except StopIteration as stop:
            return cast(Draft, stop.value)
        look(effect, None)
        if isinstance(effect, Ask):
            reply = tuple(sampler.generate(effect.requests))
        elif isinstance(effect, Check):
            reply = tuple(check_visible(sandbox, task, source, CHECK_LIMITS) for source in effect.sources)
        else:
            reply = desk.do(effect)
        look(effect, reply)
