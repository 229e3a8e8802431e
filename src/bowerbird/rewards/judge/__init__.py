"""The frozen judge: it may veto or abstain, never raise a reward."""

from bowerbird.rewards.judge.asker import Answerer, Outage
from bowerbird.rewards.judge.cache import OpinionCache
from bowerbird.rewards.judge.calibrated import doubt_about
from bowerbird.rewards.judge.fake import FakeAnswerer, vetoes
from bowerbird.rewards.judge.frozen import FrozenJudge
from bowerbird.rewards.judge.opening import open_judge
from bowerbird.rewards.judge.pipeline import GradingLine, counted, grade_all
from bowerbird.rewards.judge.process import JudgeProcess
from bowerbird.rewards.judge.protocol import Judge, OpenJudge

__all__ = [
    "Answerer",
    "FakeAnswerer",
    "FrozenJudge",
    "GradingLine",
    "Judge",
    "JudgeProcess",
    "OpenJudge",
    "OpinionCache",
    "Outage",
    "counted",
    "doubt_about",
    "grade_all",
    "open_judge",
    "vetoes",
]
