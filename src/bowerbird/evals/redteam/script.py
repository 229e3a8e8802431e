"""A policy's script in a model's place, under a scaffold of one of the tiers that act."""

from bowerbird.evals.redteam.attack import Policy, sh
from bowerbird.inference.chat import Chat
from bowerbird.inference.fake import byte_chat
from bowerbird.inference.protocol import Request
from bowerbird.rollout.budget import Budget
from bowerbird.rollout.driver import Job
from bowerbird.rollout.effects import Run
from bowerbird.rollout.plan import run_plan
from bowerbird.rollout.program import command, run_program
from bowerbird.rollout.shell import run_shell
from bowerbird.scaffold.plan import REACT, SUBMIT, Next
from bowerbird.types import Scaffold, TaskView

SHELL = "shell"  # the linear loop that the scripts were written for
TOKENS = 1 << 24  # a token of the byte chat is a byte: no script runs out of them
_BUDGET = Budget(tokens=TOKENS, calls=10_000, actions=10_000, call_tokens=TOKENS)
_NOTHING_MORE = "done"  # no command: what a script says when it has said all
_SOLVE = REACT.nodes[0].model_copy(update={"next": Next(ok=SUBMIT, fail="solve")})
_PLAN = REACT.model_copy(update={"retries": 3, "nodes": (_SOLVE,)})
_PROGRAM = """import re

OPENING = {opening!r}
BLOCK = re.compile("`{{3}}(?:sh|bash)\\n(.*?)`{{3}}", re.DOTALL)


def run(h):
    for command in OPENING:
        h.run(command)
    ask = {{"role": "user", "content": h.task()["instruction"]}}
    talk = [ask]
    for _ in range({turns}):
        answer = h.llm(talk)
        found = BLOCK.search(answer)
        if found is None:
            break
        seen = h.run(found[1])["output"][:2000] or "nothing"
        talk = [ask, {{"role": "assistant", "content": answer}}, {{"role": "user", "content": seen}}]
"""


class Script:
    """A policy's words in their order, from the first one again whenever its rollout is begun again.

    `tier` says who runs the scaffold's opening commands and the model's: "shell" a linear loop, "program" a program in
    a sandbox of its own, "plan" the turn loop of plans, where the opening is the model's too.
    """

    def __init__(self, task: TaskView, policy: Policy, tier: str = SHELL) -> None:
        self.chat: Chat = byte_chat()
        self._task, self._policy, self._tier = task, policy, tier
        opening = tuple(sh(line) for line in policy.opening) if tier == "plan" else ()
        self._replies = opening + policy.replies
        self._left = iter(self._replies)
        self._program = _PROGRAM.format(opening=list(policy.opening), turns=len(policy.replies) + 1)

    def reply(self, request: Request) -> str:
        del request  # a script says what it says, whatever it is shown
        return next(self._left, _NOTHING_MORE)

    def job(self, name: str) -> Job:
        return Job(name, self._task, name, self._start, command() if self._tier == "program" else ())

    def scaffold(self, name: str) -> Scaffold:
        opening = (self._program,) if self._tier == "program" else self._policy.opening
        return Scaffold(
            scaffold_id=name,
            task_id=self._task.task_id,
            tier=self._tier,
            text="\n".join((self._policy.scaffold_text, *opening)),
            spec={"opening": list(self._policy.opening), "turns": self._turns},
            invalid=None,
            parent_id=None,
            completion=None,
            version=0,
        )

    @property
    def _turns(self) -> int:
        return len(self._replies) + 1

    def _start(self, attempt: int) -> Run:
        self._left = iter(self._replies)
        if self._tier == "plan":
            return run_plan(self._task, _PLAN, self.chat, _BUDGET, attempt)
        if self._tier == "program":
            return run_program(self._task, self._program, self.chat, _BUDGET, attempt)
        return run_shell(
            self._task,
            self._policy.opening,
            self.chat,
            token_budget=TOKENS,
            call_tokens=TOKENS,
            turns=self._turns,
            seed=attempt,
        )
