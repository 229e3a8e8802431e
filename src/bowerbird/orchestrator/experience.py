"""What a run has learned about its tasks: scaffolds with their returns, and success rates."""

from collections.abc import Sequence

from bowerbird.orchestrator.credit import Credited
from bowerbird.orchestrator.curriculum import Curriculum
from bowerbird.orchestrator.store import commonest_failure
from bowerbird.scaffold.archive import Archive, Entry
from bowerbird.tasks import TaskSet
from bowerbird.types import Outcome


class Experience:
    """The archive and the curriculum of one task set."""

    def __init__(self, tasks: TaskSet, archive: Archive, curriculum: Curriculum) -> None:
        self._tasks = tasks
        self.archive, self.curriculum = archive, curriculum

    def remember(self, credited: Sequence[Credited]) -> None:
        """Take graded scaffolds into account. What the machinery lost says nothing."""
        for item in credited:
            if item.trial.result.outcome is not Outcome.INFRA_ERROR:
                rewards = [v.reward for v in item.trial.verdicts if v.outcome is Outcome.VALID]
                self.curriculum.record(self._category(item), rewards)
        self.recall(credited)

    def recall(self, credited: Sequence[Credited]) -> None:
        """Put scaffolds that counted into the archive, and nothing else: the rates have them already."""
        for item in credited:
            scaffold, result = item.trial.scaffold, item.trial.result
            if result.outcome is Outcome.VALID and scaffold.invalid is None:
                self.archive.add(Entry(scaffold, self._category(item), result.value, commonest_failure(item)))

    def _category(self, item: Credited) -> str:
        return self._tasks.views[item.trial.scaffold.task_id].category
