from stockroom.errors import Shortage
from stockroom.levels import Levels
from stockroom.orders import largest, place, reorder, total


def fails(kind, call, *args):
    try:
        call(*args)
    except kind:
        return True
    return False


def shortage(call, *args):
    try:
        call(*args)
    except Shortage as error:
        return error.article, error.missing
    return None


def filled():
    levels = Levels()
    levels.add("nail", 100)
    levels.add("bolt", 5)
    return levels


def test_added_counts_sum_up():
    """adding an article twice adds the counts"""
    levels = filled()
    levels.add("nail", 20)
    assert levels.free("nail") == 120
    assert levels.free("screw") == 0


def test_counts_are_positive():
    """adding zero or less of an article raises ValueError"""
    assert fails(ValueError, filled().add, "nail", 0)
    assert fails(ValueError, filled().add, "nail", -3)


def test_promises_are_not_free():
    """what is promised is no longer free"""
    levels = filled()
    levels.promise("bolt", 2)
    levels.promise("bolt", 2)
    assert levels.free("bolt") == 1


def test_all_that_is_free_can_be_promised():
    """exactly all that is free can be promised, and one more cannot"""
    levels = filled()
    levels.promise("bolt", 5)
    assert levels.free("bolt") == 0
    assert fails(Shortage, levels.promise, "bolt", 1)


def test_a_shortage_says_how_much_is_missing():
    """Shortage.missing is how many more would be needed"""
    levels = filled()
    levels.promise("bolt", 3)
    assert shortage(levels.promise, "bolt", 10) == ("bolt", 8)
    assert shortage(levels.promise, "bolt", 1) is None


def test_a_release_gives_back_at_most_what_was_promised():
    """release gives back at most what was promised, and says how much"""
    levels = filled()
    levels.promise("nail", 30)
    assert levels.release("nail", 10) == 10
    assert levels.release("nail", 50) == 20
    assert levels.free("nail") == 100


def test_shipping_takes_goods_and_promise():
    """shipped goods are neither there nor promised"""
    levels = filled()
    levels.promise("nail", 40)
    levels.ship("nail", 30)
    assert levels.free("nail") == 60
    levels.release("nail", 100)
    assert levels.free("nail") == 70


def test_only_promised_goods_are_shipped():
    """shipping more than was promised raises Shortage"""
    levels = filled()
    levels.promise("bolt", 2)
    assert fails(Shortage, levels.ship, "bolt", 3)
    levels.ship("bolt", 2)
    assert levels.free("bolt") == 3


def test_articles_are_those_that_are_there():
    """articles() lists by name what is there"""
    levels = filled()
    assert levels.articles() == ["bolt", "nail"]
    levels.promise("bolt", 5)
    levels.ship("bolt", 5)
    assert levels.articles() == ["nail"]


def test_lines_of_one_article_are_summed():
    """total() sums the lines of an article"""
    assert total([("a", 1), ("b", 2), ("a", 3)]) == {"a": 4, "b": 2}
    assert total([]) == {}


def test_an_order_is_placed_whole():
    """placing an order promises every line and returns the number of articles"""
    levels = filled()
    assert place(levels, [("nail", 10), ("bolt", 1), ("nail", 5)]) == 2
    assert levels.free("nail") == 85
    assert levels.free("bolt") == 4


def test_an_order_that_cannot_be_met_leaves_nothing_promised():
    """an order with a shortage promises nothing at all"""
    levels = filled()
    assert fails(Shortage, place, levels, [("bolt", 2), ("nail", 101)])
    assert levels.free("bolt") == 5
    assert levels.free("nail") == 100


def test_reorder_says_what_is_missing():
    """reorder() gives what is missing to the wanted free counts"""
    levels = filled()
    levels.promise("nail", 50)
    assert reorder(levels, {"nail": 60, "bolt": 5, "screw": 7}) == {"nail": 10, "screw": 7}


def test_largest_ranks_by_count_then_name():
    """largest() ranks by count, equal ones by name"""
    lines = [("c", 5), ("a", 2), ("b", 2), ("c", 1), ("d", 9)]
    assert largest(lines, 3) == ["d", "c", "a"]
    assert largest(lines, 0) == []
