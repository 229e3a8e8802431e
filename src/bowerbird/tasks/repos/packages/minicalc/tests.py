from minicalc.evaluate import Session, operate
from minicalc.lexer import tokens
from minicalc.parser import Parser


def fails(kind, call, *args):
    try:
        call(*args)
    except kind:
        return True
    return False


def value(line):
    return Session().run(line)


def test_tokens_are_cut():
    """tokens() cuts numbers, names and signs"""
    assert tokens("a1 + 23") == [("name", "a1"), ("sign", "+"), ("number", "23")]
    assert tokens("_x(9)") == [("name", "_x"), ("sign", "("), ("number", "9"), ("sign", ")")]
    assert tokens("  ") == []


def test_other_characters_are_refused():
    """tokens() refuses what is no token"""
    assert fails(ValueError, tokens, "1 $ 2")
    assert fails(ValueError, tokens, "?")


def test_products_bind_closer():
    """products bind closer than sums"""
    assert Parser("1 + 2 * 3").parse() == ("+", 1, ("*", 2, 3))
    assert Parser("1 * 2 + 3").parse() == ("+", ("*", 1, 2), 3)


def test_signs_of_a_kind_bind_from_the_left():
    """signs of a kind are worked off from the left"""
    assert value("10 - 4 - 3") == 3
    assert value("100 / 5 / 2") == 10
    assert value("17 % 10 * 2") == 14


def test_brackets_come_first():
    """brackets come first"""
    assert value("(1 + 2) * 3") == 9
    assert value("2 * (3 + 4) * 5") == 70


def test_minus_before_a_factor():
    """a minus may stand before any factor"""
    assert value("-3 + 5") == 2
    assert value("2 * -3") == -6
    assert value("--4") == 4
    assert value("-(1 + 1)") == -2


def test_broken_expressions_are_refused():
    """the parser refuses what is not whole"""
    for text in ("", "1 +", "(1", "1 2", "min(1", "min(1,", ")", "* 2", "max(,1)"):
        assert fails(ValueError, value, text)


def test_division_rounds_towards_zero():
    """division rounds towards zero, and the rest has the sign of what is divided"""
    assert operate("/", 7, 2) == 3
    assert operate("/", -7, 2) == -3
    assert operate("/", 7, -2) == -3
    assert operate("/", -7, -2) == 3
    assert operate("%", -7, 2) == -1
    assert operate("%", 7, -2) == 1


def test_division_by_zero_is_refused():
    """division by zero raises ValueError"""
    assert fails(ValueError, value, "1 / 0")
    assert fails(ValueError, value, "1 % 0")
    assert operate("+", 1, 0) == 1


def test_functions_are_called():
    """min, max and abs can be called"""
    assert value("min(3, 1, 2)") == 1
    assert value("max(3, 1 + 9)") == 10
    assert value("abs(-4)") == 4
    assert fails(KeyError, value, "sum(1)")
    assert fails(ValueError, value, "min()")


def test_names_are_remembered():
    """a session remembers names"""
    session = Session()
    assert session.run("a = 4") == 4
    assert session.run(" b = a * a ") == 16
    assert session.run("b - a") == 12
    assert session.names() == ["a", "b"]
    assert fails(KeyError, session.run, "c")


def test_only_names_can_be_set():
    """only a name can stand before an equals sign"""
    assert fails(ValueError, value, "1 = 2")
    assert fails(ValueError, value, "= 2")
    assert fails(ValueError, value, "a b = 2")
