"""Visible checks: a candidate on the public examples, in a workspace of its own."""

from bowerbird.rollout.desk import base_of
from bowerbird.rollout.effects import Checked
from bowerbird.sandbox import Limits, Sandbox, run_calls, same
from bowerbird.types import TaskView

_SOURCE = "solution.py"


def check_visible(sandbox: Sandbox, task: TaskView, source: str, limits: Limits) -> Checked:
    """Run `source` on the task's visible examples. Raises SandboxError when the sandbox was lost."""
    if not source.strip():
        return Checked(False, False, "", "no_code", "there was no code in the answer")
    files, protected = {_SOURCE: source.encode()}, {*task.workspace, _SOURCE}
    with sandbox.open(files, protected=protected, base=base_of(task)) as workspace:
        report = run_calls(workspace, _SOURCE, task.entry_point, task.examples, limits)
        watched = workspace.watched()
    compiled = report.failure not in ("syntax_error", "no_code")
    failure, message = report.failure, report.message
    if failure is None:
        for case, result in zip(task.examples, report.results, strict=True):
            if result.error is not None:
                failure, message = "exception", f"it raised {result.error}"
            elif not same(result.value, case.expected):
                gave, wanted = _short(result.value), _short(case.expected)
                failure, message = "wrong_answer", f"wrong answer: gave {gave}, not {wanted}"
            if failure:
                break
    behaviour = repr([(r.value, r.error) for r in report.results]) if report.failure is None else report.failure
    return Checked(failure is None, compiled, behaviour, failure, message, watched)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."
