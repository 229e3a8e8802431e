"""Runs pytest on the trusted tests and reports every phase of every test on a channel of its own.

Everything is decided by the host from what was observed; nothing here says "passed" in sum. Two ways:
isolated, where the candidate is in another sandbox behind `remote.py`; and in one process with the candidate, where
the nonce, the closed-over functions and the canaries make a forged report harder, and nothing makes it impossible.
Runs behind `encoder.py`, `wire.py` and `remote.py`.
"""

from __future__ import annotations

import json
import os
import random
import sys

from bowerbird.rewards.verifiers.inside.remote import Finder, Peer
from bowerbird.rewards.verifiers.inside.wire import Line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from typing import Any

PLAN = "/work/plan.json"
CANDIDATE = "/work/candidate"


class Reporter:
    """The plugin. `canaries` are moved to places among the other tests of their files that nobody can know."""

    def __init__(self, say: Callable[[dict[str, Any]], None], canaries: Collection[str]) -> None:
        self._say, self._canaries = say, frozenset(canaries)

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        for item in [item for item in items if item.nodeid in self._canaries]:
            file = item.nodeid.partition("::")[0]
            items.remove(item)
            places = [i for i, other in enumerate(items) if other.nodeid.partition("::")[0] == file]
            items.insert(random.SystemRandom().choice([*places, (places or [0])[-1] + 1]), item)

    def pytest_collectreport(self, report: Any) -> None:
        if report.outcome != "passed":
            self._say({"collect": report.nodeid, "outcome": report.outcome})

    def pytest_runtest_logreport(self, report: Any) -> None:
        xfail = hasattr(report, "wasxfail")
        self._say({"test": report.nodeid, "when": report.when, "outcome": report.outcome, "xfail": xfail})

    def pytest_deselected(self, items: list[Any]) -> None:
        for item in items:
            self._say({"deselected": item.nodeid})


def reporter(channel: int, nonce: str) -> Callable[[dict[str, Any]], None]:
    """A function that writes one line, only in this process and not in children it forks."""
    home, getpid, write, dumps = os.getpid(), os.getpid, os.write, json.dumps

    def say(record: dict[str, Any]) -> None:
        if getpid() == home:
            data = dumps({"nonce": nonce, **record}).encode() + b"\n"
            while data:
                data = data[write(channel, data) :]

    return say


def main() -> None:
    """Run and leave, without anything that was registered for the exit."""
    leave = os._exit
    with open(PLAN) as file:
        plan = json.load(file)
    os.unlink(PLAN)
    tests = plan["tests"]
    incoming, outgoing, channel = os.dup(0), os.dup(1), os.dup(2)
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    say = reporter(channel, plan["nonce"])
    sys.path += [plan["archive"], tests, "/opt/packages"]  # the last: what the task requires
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    import pytest

    if plan["isolated"]:
        os.chdir(tests)
        sys.meta_path.insert(0, Finder(Peer(Line(incoming, outgoing), say), plan["modules"]))
    else:
        os.close(incoming)
        os.close(outgoing)
        os.chdir(CANDIDATE)
        sys.path += [CANDIDATE, f"{CANDIDATE}/src"]  # after the standard library, pytest and the tests' own helpers
    say({"begin": True})
    arguments = ["-c", "/dev/null", "--rootdir", tests, "--confcutdir", tests, "--import-mode=importlib"]
    arguments += ["-p", "no:cacheprovider", "-p", "no:faulthandler", "--assert=plain", "--tb=no", "-q", "--color=no"]
    arguments += [] if plan["conftest"] else ["--noconftest"]
    arguments += [f"{tests}/{name}" for name in plan["files"]]
    status = pytest.main(arguments, plugins=[Reporter(say, plan["canaries"])])
    say({"done": int(status)})
    leave(0)


if __name__ == "__main__":
    main()
