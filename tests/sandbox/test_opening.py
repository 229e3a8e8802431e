"""Opened by name, probed once, closed when in doubt."""

import pytest

from bowerbird.sandbox import FakeSandbox, opening
from bowerbird.types import ConfigError, SandboxUnavailable


class Counting(FakeSandbox):
    probes = 0

    def probe(self):
        type(self).probes += 1
        return super().probe()


class Broken(FakeSandbox):
    def probe(self):
        raise SandboxUnavailable("install bubblewrap")


@pytest.fixture
def back_ends(monkeypatch):
    monkeypatch.setitem(opening.BACK_ENDS, "counting", Counting)
    monkeypatch.setitem(opening.BACK_ENDS, "broken", Broken)


def test_one_probe_per_process(back_ends):
    first = opening.open_sandbox("counting")
    assert opening.open_sandbox("counting") is first
    assert Counting.probes == 1


def test_a_failed_probe_is_never_cached(back_ends):
    for _ in range(2):
        with pytest.raises(SandboxUnavailable, match="install bubblewrap"):
            opening.open_sandbox("broken")


def test_unknown_names_are_refused():
    with pytest.raises(ConfigError, match="use one of"):
        opening.open_sandbox("nope")


def test_the_local_one_opens():
    assert opening.open_sandbox().name == "local"


def test_each_way_of_watching_has_its_own(back_ends):
    first = opening.open_sandbox("counting", "decoys")
    assert opening.open_sandbox("counting", watch="off") is not first
    assert opening.open_sandbox("counting", "decoys") is first


def test_the_choice_reaches_the_back_end():
    with opening.open_sandbox("local", "decoys").open({}) as workspace:
        assert workspace.watched().watchers == ("inotify",)
    with opening.open_sandbox("local", "off").open({}) as workspace:
        assert workspace.watched().watchers == ()


def test_an_unknown_watch_is_refused():
    with pytest.raises(ConfigError, match="auto, decoys, trace, off"):
        opening.open_sandbox("local", "all")  # type: ignore[arg-type]


def test_what_is_to_be_hidden_reaches_the_back_end_as_folders(back_ends, tmp_path):
    (tmp_path / "tasks.jsonl").touch()
    first = opening.open_sandbox("counting", hide=[tmp_path, tmp_path / "katas"])
    assert opening.open_sandbox("counting", hide=[tmp_path / "tasks.jsonl"]) is first
    assert opening.open_sandbox("counting") is not first
    assert isinstance(first, Counting)
    assert first.hidden == frozenset({tmp_path})


def test_a_back_end_of_ones_own():
    assert isinstance(opening.open_sandbox(f"{__name__}:Counting"), Counting)
    with pytest.raises(ConfigError, match=r"sandbox\.backend: cannot load"):
        opening.open_sandbox("no_such_module:Sandbox")
