"""A file's content, and the one bit of its mode that goes with it."""

import copy

from bowerbird.types import Executable, mode_of, with_mode


def test_the_bit_is_part_of_what_a_file_is() -> None:
    tool, plain = Executable(b"x"), b"x"
    assert tool == Executable(b"x")
    assert (tool != Executable(b"x"), tool != Executable(b"y")) == (False, True)
    assert (tool == plain, plain == tool) == (False, False)
    assert (tool != plain, plain != tool) == (True, True)
    assert {"a": tool} != {"a": plain}
    assert bytes(tool) == plain
    assert repr(tool) == "Executable(b'x')"


def test_it_goes_where_the_content_goes_and_not_into_what_is_made_of_it() -> None:
    tool = Executable(b"x")
    assert copy.deepcopy({"a": tool}) | {"b": b"x"} == {"a": tool, "b": b"x"}
    assert tool + b"y" == b"xy"
    assert tool.replace(b"x", b"y") == b"y"


def test_of_a_mode_only_the_owners_executable_bit_counts() -> None:
    for mode in (0o100755, 0o100700, 0o104755, 0o100100):
        assert mode_of(with_mode(b"x", mode)) == 0o755
    for mode in (0o100644, 0o100611, 0o102664, 0):
        assert mode_of(with_mode(b"x", mode)) == 0o644
    assert mode_of(None) == 0o644
