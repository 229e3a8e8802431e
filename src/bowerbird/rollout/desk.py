"""The workspace of one rollout: opened at its first action, gone before anything is graded."""

from bowerbird.rollout.effects import Act
from bowerbird.sandbox import Collected, Execution, Limits, Sandbox, Workspace
from bowerbird.types import Facts, TaskView

ACT_LIMITS = Limits(wall_s=20.0, cpu_s=20, output_bytes=1 << 16)


class Desk:
    """Where a rollout acts. The task's own files are protected, save those it is asked to write."""

    def __init__(self, sandbox: Sandbox, task: TaskView) -> None:
        self._sandbox, self._task = sandbox, task
        self._workspace: Workspace | None = None

    def act(self, action: Act) -> Execution:
        """Run one command. Raises SandboxError when the sandbox is lost."""
        if self._workspace is None:
            protected = set(self._task.workspace) - set(self._task.submission)
            self._workspace = self._sandbox.open(self._task.workspace, protected=protected)
        return self._workspace.run(action.argv, limits=ACT_LIMITS)

    def leave(self) -> tuple[Collected, Facts]:
        """What stands in the workspace under the declared names, and what was seen there; then it is gone."""
        if self._workspace is None:
            return Collected({}), Facts()
        try:
            return self._workspace.collect(self._task.submission), self._workspace.watched()
        finally:
            self.close()

    def close(self) -> None:
        """Give the workspace up. Safe to call again."""
        if self._workspace is not None:
            self._workspace.close()
            self._workspace = None
