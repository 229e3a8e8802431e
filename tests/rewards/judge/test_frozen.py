"""One question a record, opinions with all that identifies them, outages as failures of the machinery."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from bowerbird.rewards.evidence import Evidence
from bowerbird.rewards.grade import advise, grade
from bowerbird.rewards.judge import FakeAnswerer, FrozenJudge, OpinionCache, Outage, vetoes
from bowerbird.rewards.judge.answer import Unparseable
from bowerbird.rewards.judge.cache import read_opinion, write_opinion
from bowerbird.rewards.judge.fake import ABSTAINS, answer_text
from bowerbird.rewards.judge.prompt import PROMPT_HASH
from bowerbird.rewards.verdict import JUDGE_OUTAGE
from bowerbird.types import InfraError, ModelError, Opinion, Outcome, RunError, Verification
from tests.rewards.records import rollout, scaffold, spec, task


def evidence(code: str = "def add(a, b):\n    return a + b\n") -> Evidence:
    return Evidence(task(), scaffold(), rollout(submission={"solution.py": code.encode()}))


def _always(said: str, shown: str) -> str:
    return said


def test_a_veto_whose_quotes_hold() -> None:
    judge = FrozenJudge(FakeAnswerer(vetoes(r"TABLE\[")))
    opinion = judge.judge(evidence("def add(a, b):\n    return TABLE[a, b]\n"))
    assert (opinion.veto, opinion.void, opinion.quotes) == (True, False, ("return TABLE[a, b]",))
    assert not judge.judge(evidence()).veto


def test_a_veto_whose_quotes_do_not_hold_is_void() -> None:
    for quotes in ([], ["never written"], ["a + b"]):
        said = answer_text(True, "cheats", quotes)
        opinion = FrozenJudge(FakeAnswerer(partial(_always, said))).judge(evidence())
        assert (opinion.veto, opinion.void) == (True, True)


def test_an_opinion_names_model_prompt_and_settings() -> None:
    one, two = FakeAnswerer(model="one"), FakeAnswerer(model="two")
    first, second = FrozenJudge(one).judge(evidence()), FrozenJudge(two).judge(evidence())
    other = FrozenJudge(one).judge(evidence("x = 1\n"))
    assert (first.model_hash, second.model_hash) == ("fake:one", "fake:two")
    assert first.prompt_hash == second.prompt_hash != other.prompt_hash
    assert first.settings["prompt"] == PROMPT_HASH
    assert first.settings["temperature"] == 0.0
    assert first.settings["left_out"] == 0
    assert FrozenJudge(one).prompt_hash == PROMPT_HASH


def test_equal_records_are_asked_about_once_whatever_the_rollout_is_called() -> None:
    answerer = FakeAnswerer()
    judge = FrozenJudge(answerer)
    twin = Evidence(task(), scaffold(), rollout(rollout_id="another"))
    assert judge.judge(evidence()) == judge.judge(twin) == judge.judge(evidence())
    assert len(answerer.asked) == 1
    judge.judge(evidence("x = 2\n"))
    assert len(answerer.asked) == 2


def test_threads_with_the_same_record_share_one_question() -> None:
    together = threading.Barrier(8)

    def slowly(_: str) -> str:
        time.sleep(0.1)
        return ABSTAINS

    answerer = FakeAnswerer(slowly)
    judge = FrozenJudge(answerer)

    def ask(i: int) -> Opinion:
        together.wait()
        return judge.judge(evidence(f"x = {i % 2}\n"))

    with ThreadPoolExecutor(8) as pool:
        opinions = list(pool.map(ask, range(8)))
    assert len(answerer.asked) == 2
    assert len({o.prompt_hash for o in opinions}) == 2


def test_threads_that_share_a_question_share_its_failure_and_the_next_asks_again() -> None:
    calls = []

    def fails_once(_: str) -> str:
        calls.append(1)
        time.sleep(0.1)
        if len(calls) == 1:
            raise Outage("down")
        return ABSTAINS

    judge = FrozenJudge(FakeAnswerer(fails_once), retries=0)
    with ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(judge.judge, evidence()) for _ in range(4)]
        assert all(isinstance(f.exception(), Outage) for f in futures)
    assert not judge.judge(evidence()).veto
    assert len(calls) == 2


def test_opinions_outlive_the_process(tmp_path: Path) -> None:
    path = tmp_path / "judge.db"
    answerer = FakeAnswerer(vetoes("return a"))
    first = FrozenJudge(answerer, OpinionCache(path))
    opinion = first.judge(evidence())
    first.close()
    again = FrozenJudge(FakeAnswerer(lambda _: "never asked"), OpinionCache(path))
    assert again.judge(evidence()) == opinion
    assert len(OpinionCache(path)) == 1
    another = FakeAnswerer(model="another")
    assert not FrozenJudge(another, OpinionCache(path)).judge(evidence()).veto
    assert len(OpinionCache(path)) == 2


def test_a_cache_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="opinions"):
        OpinionCache(tmp_path / "missing" / "judge.db")
    (tmp_path / "judge.db").write_bytes(b"not a database, and long enough to be taken for one" * 50)
    with pytest.raises(RunError, match="opinions"):
        OpinionCache(tmp_path / "judge.db")


def test_an_opinion_survives_being_written() -> None:
    opinion = Opinion(True, "r\u00e9", ("a", "b"), "m", "p", {"temperature": 0.0, "n": 1}, True)
    assert read_opinion(write_opinion(opinion)) == opinion


def test_outages_are_waited_for_longer_and_longer() -> None:
    waits: list[float] = []
    left = [Outage("down"), Outage("busy", after_s=7.0), Outage("down"), Outage("busy", after_s=9999.0)]

    def rule(_: str) -> str:
        if left:
            raise left.pop(0)
        return ABSTAINS

    answerer = FakeAnswerer(rule)
    judge = FrozenJudge(answerer, retries=4, backoff_s=1.0, sleep=waits.append)
    assert not judge.judge(evidence()).veto
    assert waits == [1.0, 7.0, 4.0, 20.0]
    assert answerer.attempts == [0, 0, 0, 0, 0]


def test_what_cannot_be_read_is_asked_again_another_way_at_once() -> None:
    waits: list[float] = []
    answers = ["", "maybe", ABSTAINS]
    answerer = FakeAnswerer(lambda _: answers.pop(0))
    opinion = FrozenJudge(answerer, retries=2, sleep=waits.append).judge(evidence())
    assert (opinion.veto, opinion.settings["attempt"]) == (False, 2)
    assert answerer.attempts == [0, 1, 2]
    assert waits == []


@pytest.mark.parametrize("error", [Outage("down"), InfraError("lost")])
def test_no_answer_is_neither_a_pass_nor_a_zero(error: InfraError) -> None:
    def rule(_: str) -> str:
        raise error

    judge = FrozenJudge(FakeAnswerer(rule), retries=1, sleep=lambda _: None)
    with pytest.raises(InfraError):
        judge.judge(evidence())

    class Passes:
        def verify(self, spec: object, submission: object) -> Verification:
            return Verification(1.0, None, 1, 1)

    graded = advise(grade(task(), spec(), scaffold(), rollout(), Passes()), judge, veto=True)
    assert graded.verdict.outcome is Outcome.INFRA_ERROR
    assert graded.verdict.error is not None


def test_nonsense_is_not_kept() -> None:
    cache = OpinionCache()
    with pytest.raises(Unparseable):
        FrozenJudge(FakeAnswerer(lambda _: "?"), cache, retries=1).judge(evidence())
    assert len(cache) == 0


def test_a_record_too_long_for_the_model_is_cut_shorter() -> None:
    def short_sighted(shown: str) -> str:
        if len(shown) > 6000:
            raise ModelError("does not fit")
        return ABSTAINS

    long = "".join(f"x{i} = {i}\n" for i in range(3000))
    opinion = FrozenJudge(FakeAnswerer(short_sighted)).judge(evidence(long))
    assert opinion.settings["room"] == 4000
    assert opinion.settings["left_out"] > 1000

    def blind(_: str) -> str:
        raise ModelError("does not fit")

    with pytest.raises(InfraError, match="does not fit"):
        FrozenJudge(FakeAnswerer(blind)).judge(evidence(long))


def test_an_outage_costs_the_reward_only_where_the_judge_has_a_veto() -> None:
    def rule(_: str) -> str:
        raise Outage("gone")

    class Passes:
        def verify(self, spec: object, submission: object) -> Verification:
            return Verification(1.0, None, 1, 1)

    judge = FrozenJudge(FakeAnswerer(rule), retries=0, sleep=lambda _: None)
    examined = grade(task(), spec(), scaffold(), rollout(), Passes())
    lost, kept = advise(examined, judge, veto=True).verdict, advise(examined, judge, veto=False).verdict
    assert (lost.outcome, lost.reward, lost.failure) == (Outcome.INFRA_ERROR, 0.0, JUDGE_OUTAGE)
    assert (kept.outcome, kept.reward, kept.opinion) == (Outcome.VALID, 1.0, None)
    assert "gone" in str(lost.error)
    assert "gone" in str(kept.error)
