from nestpath.access import get, put, remove
from nestpath.path import parse, show
from nestpath.walk import depth, difference, leaves


def fails(kind, call, *args):
    try:
        call(*args)
    except kind:
        return True
    return False


def sample():
    return {"users": [{"name": "ann", "tags": []}, {"name": "bob", "age": 7}], "size": 2}


def test_paths_are_read():
    """parse() gives names and places"""
    assert parse("users[0].name") == ["users", 0, "name"]
    assert parse("a.b.c") == ["a", "b", "c"]
    assert parse("[1][-2]") == [1, -2]
    assert parse("") == []


def test_wrong_paths_are_refused():
    """parse() refuses empty names and places that are no numbers"""
    for text in ("a..b", "a.", "a[x]", "a[1", "a[]", "a.[0]"):
        assert fails(ValueError, parse, text)


def test_paths_are_written():
    """show() writes what parse() reads"""
    for text in ("users[0].name", "a.b", "[1][2].c", ""):
        assert show(parse(text)) == text


def test_get_follows_a_path():
    """get() follows names and places, from the end too"""
    assert get(sample(), "users[1].age") == 7
    assert get(sample(), "users[-1].name") == "bob"
    assert get(sample(), "users[-2].name") == "ann"
    assert get(sample(), "") == sample()


def test_get_gives_the_default():
    """get() gives the default where the path leads nowhere"""
    assert get(sample(), "users[2].name", "none") == "none"
    assert get(sample(), "users[-3]", 5) == 5
    assert get(sample(), "size.x", 1) == 1
    assert get(sample(), "users.name") is None
    assert get(sample(), "size[0]", 3) == 3


def test_put_changes_and_makes():
    """put() sets values and makes dicts on the way"""
    data = put(sample(), "users[0].name", "eve")
    data = put(data, "new.deep.x", 1)
    assert data["users"][0]["name"] == "eve"
    assert data["new"] == {"deep": {"x": 1}}


def test_put_grows_a_list_by_one():
    """put() appends at the place after the last, and no further"""
    data = put({"items": [1]}, "items[1]", 2)
    data = put(data, "items[0]", 9)
    assert data == {"items": [9, 2]}
    assert fails(IndexError, put, data, "items[5]", 3)


def test_remove_gives_back():
    """remove() takes values out of dicts and lists, and gives both"""
    gone, data = remove(sample(), "users[0]")
    assert gone == {"name": "ann", "tags": []}
    gone, data = remove(data, "size")
    assert gone == 2
    assert data == {"users": [{"name": "bob", "age": 7}]}


def test_remove_refuses_what_is_not_there():
    """remove() raises KeyError for names and places that are not there"""
    assert fails(KeyError, remove, sample(), "nothing")
    assert fails(KeyError, remove, sample(), "users[2]")
    assert fails(KeyError, remove, sample(), "users[-1]")


def test_leaves_are_in_order():
    """leaves() lists paths and values in order, empty ones too"""
    assert leaves(sample()) == [
        ("users[0].name", "ann"),
        ("users[0].tags", []),
        ("users[1].name", "bob"),
        ("users[1].age", 7),
        ("size", 2),
    ]
    assert leaves({}) == [("", {})]


def test_differences_are_named():
    """difference() names what was added, removed and changed"""
    new = put(sample(), "users[1].age", 8)
    new = put(new, "more", True)
    new = remove(new, "size")[1]
    assert difference(sample(), new) == {"added": ["more"], "removed": ["size"], "changed": ["users[1].age"]}
    assert difference(sample(), sample()) == {"added": [], "removed": [], "changed": []}


def test_depth_is_the_longest_path():
    """depth() counts the steps of the longest path"""
    assert depth(sample()) == 3
    assert depth(5) == 0
    assert depth({}) == 0
    assert depth([[[]]]) == 2
