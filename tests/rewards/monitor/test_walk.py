"""Paths are followed as text, whatever their spelling."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bowerbird.rewards.monitor.walk import walk


@pytest.mark.parametrize(
    ("text", "path", "detour"),
    [
        ("/tests/a", "/tests/a", ""),
        ("//tests/./x/..//a", "/tests/a", ""),
        ("../tests/a", "/tests/a", ""),
        ("a/../../../../tests/a", "/tests/a", ""),
        ("a", "/work/a", ""),
        ("/proc/self/root/tests/a", "/tests/a", "/proc/self/root"),
        ("/proc/12/task/13/root/../tests/a", "/tests/a", "/proc/12/task/13/root"),
        ("/proc/1/cwd/../tests/a", "/tests/a", "/proc/1/cwd"),
        ("/proc/1/root/proc/2/root/a", "/a", "/proc/1/root"),
        ("/proc/self/root", "/proc/self/root", ""),
        ("/proc/x/root/a", "/proc/x/root/a", ""),
        ("/home/root/a", "/home/root/a", ""),
        ("", "/work", ""),
        ("/", "/", ""),
    ],
)
def test_where_a_path_leads(text: str, path: str, detour: str) -> None:
    assert (walk(text).path, walk(text).detour) == (path, detour)


@given(st.text(alphabet=st.sampled_from("/.ab proc1self"), max_size=60) | st.text(max_size=60))
def test_every_text_leads_somewhere_plain(text: str) -> None:
    path = walk(text).path
    assert path.startswith("/")
    assert not {"", ".", ".."} & set(path[1:].split("/")) or path == "/"
    assert walk(path).path == path or walk(path).detour
