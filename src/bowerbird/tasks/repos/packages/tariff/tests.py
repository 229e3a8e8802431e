from tariff.bill import Bill
from tariff.money import parse, share, show, split
from tariff.rates import discount, price_at, tiered

TIERS = [(10, 100), (50, 80), (None, 50)]


def fails(kind, call, *args):
    try:
        call(*args)
    except kind:
        return True
    return False


def test_shares_are_rounded():
    """share() rounds half a cent up"""
    assert share(1000, 7) == 70
    assert share(50, 1) == 1
    assert share(49, 1) == 0
    assert share(0, 19) == 0


def test_splits_lose_nothing():
    """split() gives parts that add up, the larger first"""
    assert split(100, 3) == [34, 33, 33]
    assert split(101, 3) == [34, 34, 33]
    assert split(9, 3) == [3, 3, 3]
    assert split(5, 1) == [5]
    assert fails(ValueError, split, 5, 0)


def test_amounts_are_shown():
    """show() has two digits behind the point, and a minus"""
    assert show(1205) == "12.05"
    assert show(-5) == "-0.05"
    assert show(0) == "0.00"


def test_amounts_are_read():
    """parse() reads whole amounts, cents and minus"""
    assert parse("12.05") == 1205
    assert parse("7") == 700
    assert parse("-0.50") == -50
    for text in ("", "1.5", "1.", "a", "1.234", "--1", "1.x0"):
        assert fails(ValueError, parse, text)


def test_each_unit_costs_what_its_tier_says():
    """tiered() charges each unit by its own tier"""
    assert tiered(1, TIERS) == 100
    assert tiered(10, TIERS) == 1000
    assert tiered(11, TIERS) == 1080
    assert tiered(50, TIERS) == 4200
    assert tiered(52, TIERS) == 4300
    assert tiered(0, TIERS) == 0


def test_the_price_of_a_unit():
    """price_at() includes a tier's own limit"""
    assert price_at(10, TIERS) == 100
    assert price_at(11, TIERS) == 80
    assert price_at(51, TIERS) == 50
    assert fails(ValueError, price_at, 11, TIERS[:1])


def test_the_largest_discount_counts():
    """discount() takes the largest that the amount reaches"""
    rules = [(1000, 5), (5000, 10), (2000, 7)]
    assert discount(999, rules) == 0
    assert discount(1000, rules) == 5
    assert discount(4999, rules) == 7
    assert discount(5000, rules) == 10
    assert discount(100, []) == 0


def filled():
    bill = Bill({"full": 20, "low": 5}, [(3000, 10)])
    bill.add("pipes", 20, TIERS, "full")
    bill.add("bread", 4, [(None, 250)], "low")
    return bill


def test_a_line_costs_its_tiers():
    """add() gives the line's cents"""
    bill = Bill({"full": 20})
    assert bill.add("pipes", 20, TIERS, "full") == 1800
    assert fails(KeyError, bill.add, "x", 1, TIERS, "other")
    assert fails(ValueError, bill.add, "x", 0, TIERS, "full")
    assert bill.add("one", 1, TIERS, "full") == 100


def test_small_bills_have_no_discount():
    """net() takes a discount only from where it begins"""
    bill = filled()
    assert bill.net() == 2800
    bill.add("more", 1, [(None, 200)], "low")
    assert bill.net() == 2700


def test_tax_is_by_class():
    """tax() is of each class's own lines"""
    bill = filled()
    assert bill.tax() == {"full": 360, "low": 50}
    assert Bill({"full": 20}).tax() == {}


def test_tax_is_on_what_is_left_after_the_discount():
    """tax() and gross() count after the discount"""
    bill = filled()
    bill.add("more", 1, [(None, 200)], "low")
    assert bill.tax() == {"full": 324, "low": 54}
    assert bill.gross() == 2700 + 378


def test_the_dearest_line():
    """dearest() is the first of the dearest lines"""
    bill = filled()
    assert bill.dearest() == "pipes"
    bill.add("same", 1, [(None, 1800)], "low")
    assert bill.dearest() == "pipes"
    assert Bill({}).dearest() == ""
