from gridtext.align import is_number, pad, side_of
from gridtext.table import render, sort_rows, widths
from gridtext.wrap import indent, shorten, wrap


def fails(kind, call, *args):
    try:
        call(*args)
    except kind:
        return True
    return False


def test_lines_fill_the_width():
    """wrap() fills lines up to the width, and no further"""
    assert wrap("aa bb cc dd", 5) == ["aa bb", "cc dd"]
    assert wrap("aa bb cc", 4) == ["aa", "bb", "cc"]
    assert wrap("", 5) == []


def test_long_words_are_cut():
    """wrap() cuts a word that is longer than the width"""
    assert wrap("a bbbbbbb c", 3) == ["a", "bbb", "bbb", "b c"]
    assert wrap("bbbbbb", 3) == ["bbb", "bbb"]
    assert wrap("abc abc", 3) == ["abc", "abc"]


def test_a_width_is_at_least_one():
    """wrap() refuses a width below 1"""
    assert wrap("ab", 1) == ["a", "b"]
    assert fails(ValueError, wrap, "ab", 0)


def test_shortened_text_has_dots():
    """shorten() keeps to the width, dots included"""
    assert shorten("abcdefgh", 6) == "abc..."
    assert shorten("abcdef", 6) == "abcdef"
    assert shorten("abcdef", 4) == "a..."
    assert shorten("abcdef", 3) == "abc"


def test_empty_lines_are_not_indented():
    """indent() leaves empty lines alone"""
    assert indent(["a", "", " b"], 2) == ["  a", "", "   b"]


def test_text_is_padded_on_its_side():
    """pad() puts the text at its side"""
    assert pad("ab", 4, "left") == "ab  "
    assert pad("ab", 4, "right") == "  ab"
    assert pad("abcd", 2, "middle") == "abcd"
    assert fails(ValueError, pad, "a", 2, "top")


def test_the_middle_leans_left():
    """pad() to the middle puts the odd space behind"""
    assert pad("ab", 5, "middle") == " ab  "
    assert pad("ab", 6, "middle") == "  ab  "


def test_numbers_are_known():
    """is_number() knows signs and decimals"""
    for text in ("1", "-1", "+20", "3.25", "-0.5"):
        assert is_number(text)
    for text in ("", "-", "a", "1.", ".5", "1.2.3", "1e5", "--1"):
        assert not is_number(text)


def test_columns_of_numbers_stand_right():
    """side_of() puts numbers right, and a column with any other text left"""
    assert side_of(["1", "2.5"]) == "right"
    assert side_of(["1", "x"]) == "left"
    assert side_of([]) == "left"


def test_widths_are_the_longest():
    """widths() finds the longest text of each column"""
    assert widths([["a", "bbb"], ["cc"], ["d", "e", "ffff"]]) == [2, 3, 4]
    assert widths([]) == []


def test_a_table_has_head_rule_and_rows():
    """render() writes head, rule and rows"""
    assert render(["name", "n"], [["nail", "100"], ["bolt", "5"]]) == [
        "name    n",
        "----  ---",
        "nail  100",
        "bolt    5",
    ]


def test_short_rows_are_filled():
    """render() takes rows that are shorter than the head"""
    assert render(["a", "bb"], [["x"], ["y", "z"]]) == ["a  bb", "-  --", "x", "y  z"]


def test_rows_are_sorted_by_a_column():
    """sort_rows() sorts by a column, rows without it last"""
    rows = [["b", "2"], ["a"], ["c", "1"]]
    assert sort_rows(rows, 1) == [["c", "1"], ["b", "2"], ["a"]]
    assert sort_rows(rows, 1, True) == [["b", "2"], ["c", "1"], ["a"]]
    assert sort_rows(rows, 0) == [["a"], ["b", "2"], ["c", "1"]]
