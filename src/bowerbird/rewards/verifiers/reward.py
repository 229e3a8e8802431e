"""The reward that a script wrote, read as if an enemy had written it."""

import json
import math
import re
from typing import Any

LONGEST = 4096  # bytes; a reward is a number, or a small object with one
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)


class BadReward(Exception):
    """Not a reward; `failure` is its class: no_reward, bad_reward, forged_report."""

    def __init__(self, failure: str, why: str) -> None:
        super().__init__(why)
        self.failure = failure


def read_reward(text: bytes, table: bytes) -> float:
    """The reward from what was written to reward.txt and to reward.json; one of them is enough.

    reward.txt holds one number; reward.json an object with "reward", or with one number under any name. Two numbers
    in one file, or two files that disagree, mean that somebody besides the grader wrote: forged_report. Raises
    BadReward, and nothing else, whatever the bytes are.
    """
    found = [read(data) for read, data in ((_plain, text), (_object, table)) if data.strip()]
    if not found:
        raise BadReward("no_reward", "no reward was written")
    if len(set(found)) != 1:
        raise BadReward("forged_report", "reward.txt and reward.json disagree")
    return found[0]


def _plain(data: bytes) -> float:
    words = _decoded(data).split()
    if len(words) != 1:
        if all(_NUMBER.fullmatch(word) for word in words):
            raise BadReward("forged_report", f"{len(words)} rewards were written, where one is the grader's")
        raise BadReward("bad_reward", "reward.txt does not hold one number")
    if not _NUMBER.fullmatch(words[0]):
        raise BadReward("bad_reward", "reward.txt does not hold a number")
    return _bounded(float(words[0]))


def _object(data: bytes) -> float:
    text = _decoded(data)
    try:
        value, end = json.JSONDecoder(object_pairs_hook=_pairs).raw_decode(text.strip())
    except (ValueError, RecursionError):
        raise BadReward("bad_reward", "reward.json is not JSON") from None
    if text.strip()[end:].strip():
        raise BadReward("forged_report", "reward.json was written more than once")
    if type(value) is not dict:
        raise BadReward("bad_reward", "reward.json is not an object")
    reward = value["reward"] if "reward" in value else next(iter(value.values())) if len(value) == 1 else None
    if isinstance(reward, bool) or not isinstance(reward, (int, float)):
        raise BadReward("bad_reward", 'reward.json has no number under "reward"')
    try:
        return _bounded(float(reward))
    except OverflowError:
        raise BadReward("bad_reward", "the reward is not in [0, 1]") from None


def _decoded(data: bytes) -> str:
    if len(data) > LONGEST:
        raise BadReward("bad_reward", f"more than {LONGEST} bytes of reward")
    try:
        return data.decode("ascii")
    except UnicodeDecodeError:
        raise BadReward("bad_reward", "the reward is not ASCII") from None


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) != len(pairs):
        raise ValueError("a key twice")
    return dict(pairs)


def _bounded(value: float) -> float:
    if not math.isfinite(value) or not 0.0 <= value <= 1.0:
        raise BadReward("bad_reward", "the reward is not in [0, 1]")
    return value + 0.0  # no minus zero
