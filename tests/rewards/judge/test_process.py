"""A judge in a process of its own, over a real socket."""

import os
import signal
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bowerbird.config import JudgeConfig
from bowerbird.rewards.evidence import Evidence
from bowerbird.rewards.judge import JudgeProcess, open_judge
from bowerbird.rewards.judge.fake import ABSTAINS
from bowerbird.types import ConfigError, InfraError
from tests.rewards.records import rollout, scaffold, task
from tests.serving import serving

PROBE = 'Answer with {"ok": true}.'


@pytest.fixture
def config() -> Iterator[JudgeConfig]:
    with serving(lambda _: ABSTAINS) as url:
        yield JudgeConfig(endpoint=url, model="m", at_once=4)


def evidence(number: int = 0) -> Evidence:
    return Evidence(task(), scaffold(), rollout(submission={"solution.py": f"x = {number}\n".encode()}))


def test_it_says_what_the_judge_says(config: JudgeConfig) -> None:
    judge, plain = JudgeProcess(config), open_judge(config)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(judge.judge, map(evidence, range(20))))
    assert found == [plain.judge(evidence(number)) for number in range(20)]
    named = ("model", "model_hash", "prompt_hash", "settings")
    assert [getattr(judge, name) for name in named] == [getattr(plain, name) for name in named]
    judge.close()


def test_opinions_are_kept_in_the_folder(config: JudgeConfig, tmp_path: Path) -> None:
    judge = JudgeProcess(config, tmp_path)
    found = judge.judge(evidence())
    judge.close()
    db = sqlite3.connect(tmp_path / "judge.db")
    assert db.execute("SELECT COUNT(*) FROM opinions").fetchone() == (1,)
    assert open_judge(config, tmp_path).judge(evidence()) == found


def test_an_endpoint_that_does_not_answer_is_said_at_once() -> None:
    with pytest.raises(ConfigError, match="does not answer"):
        JudgeProcess(JudgeConfig(endpoint="http://127.0.0.1:9/v1", timeout_s=2.0))


def test_killed_while_it_is_asked_it_is_an_outage_and_then_works_again() -> None:
    """Nobody waits for ever."""
    under_way, release = threading.Event(), threading.Event()

    def rule(message: str) -> str:
        if message != PROBE:  # which is not held up
            under_way.set()
            release.wait(60)
        return ABSTAINS

    with serving(rule) as url:
        judge = JudgeProcess(JudgeConfig(endpoint=url, model="m", retries=0))
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(judge.judge, evidence())
            assert under_way.wait(60)
            os.kill(judge.pid, signal.SIGKILL)
            with pytest.raises(InfraError, match="judge's process died"):
                asked.result()
        release.set()
        assert not judge.judge(evidence()).veto
        judge.close()
