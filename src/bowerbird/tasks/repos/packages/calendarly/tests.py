from calendarly.clock import duration, parse, show
from calendarly.planner import Day, common, load
from calendarly.spans import length, merge, overlaps, span, subtract


def fails(kind, call, *args):
    try:
        call(*args)
    except kind:
        return True
    return False


def test_a_span_ends_after_it_starts():
    """span() refuses an end that is not after the start"""
    assert span(1, 2) == (1, 2)
    assert fails(ValueError, span, 2, 2)
    assert fails(ValueError, span, 3, 2)


def test_length_sums_minutes():
    """length() is the sum of the spans' minutes"""
    assert length([(0, 10), (20, 25)]) == 15
    assert length([]) == 0


def test_spans_that_touch_do_not_overlap():
    """overlaps() is false for spans that only touch"""
    assert not overlaps((0, 10), (10, 20))
    assert not overlaps((10, 20), (0, 10))
    assert overlaps((0, 11), (10, 20))
    assert overlaps((5, 6), (0, 10))
    assert overlaps((0, 10), (5, 6))


def test_merge_joins_what_overlaps_or_touches():
    """merge() joins spans that overlap or touch, and sorts them"""
    assert merge([(30, 40), (0, 10), (10, 20), (35, 36)]) == [(0, 20), (30, 40)]
    assert merge([(0, 5), (6, 7)]) == [(0, 5), (6, 7)]
    assert merge([]) == []


def test_subtract_leaves_the_gaps():
    """subtract() leaves what is not covered"""
    assert subtract((0, 100), [(10, 20), (50, 60)]) == [(0, 10), (20, 50), (60, 100)]
    assert subtract((0, 100), []) == [(0, 100)]


def test_subtract_ignores_what_lies_outside():
    """subtract() ignores spans outside, and cuts those that reach in"""
    assert subtract((50, 100), [(0, 50), (100, 120)]) == [(50, 100)]
    assert subtract((50, 100), [(0, 60), (90, 200)]) == [(60, 90)]
    assert subtract((50, 100), [(0, 200)]) == []


def test_times_are_read():
    """parse() reads hours and minutes"""
    assert parse("9:30") == 570
    assert parse(" 00:00 ") == 0
    assert parse("24:00") == 1440


def test_wrong_times_are_refused():
    """parse() refuses what is no time of a day"""
    for text in ("9", "9:3", "9:60", "24:01", "-1:00", "a:00", "9:0a", ""):
        assert fails(ValueError, parse, text)


def test_times_are_shown_with_two_digits():
    """show() writes two digits each"""
    assert show(570) == "09:30"
    assert show(0) == "00:00"
    assert show(1440) == "24:00"
    assert fails(ValueError, show, -1)
    assert fails(ValueError, show, 1441)


def test_durations_read_well():
    """duration() leaves out what is zero"""
    assert duration(65) == "1h 05m"
    assert duration(45) == "45m"
    assert duration(120) == "2h"
    assert duration(0) == "0m"


def test_bookings_stay_within_the_hours():
    """book() takes the whole of the hours and nothing beyond them"""
    day = Day(540, 1020)
    assert fails(ValueError, day.book, 539, 600)
    assert fails(ValueError, day.book, 1000, 1021)
    assert fails(ValueError, day.book, 600, 600)
    day.book(540, 1020)
    assert day.free() == []


def test_no_hour_is_booked_twice():
    """book() refuses what is taken, and takes what touches it"""
    day = Day(0, 100)
    day.book(10, 20)
    assert fails(ValueError, day.book, 15, 25)
    day.book(20, 30)
    assert day.busy() == [(10, 30)]


def test_a_cancelled_booking_is_free():
    """cancel() frees a booking and says whether there was one"""
    day = Day(0, 100)
    day.book(10, 20)
    assert not day.cancel(10, 21)
    assert day.cancel(10, 20)
    assert not day.cancel(10, 20)
    assert day.free() == [(0, 100)]


def test_common_room_is_long_enough():
    """common() gives spans of at least the asked minutes in which all are free"""
    ann, bob = Day(0, 100), Day(20, 120)
    ann.book(30, 40)
    bob.book(50, 80)
    assert common([ann, bob], 10) == [(20, 30), (40, 50), (80, 100)]
    assert common([ann, bob], 11) == [(80, 100)]
    assert common([ann, bob], 21) == []


def test_days_that_never_meet_have_nothing_in_common():
    """common() of days without common hours is empty"""
    assert common([Day(0, 50), Day(50, 100)], 1) == []


def test_load_is_a_share_in_percent():
    """load() is the booked share in percent, rounded down"""
    day = Day(100, 400)
    assert load(day) == 0
    day.book(100, 200)
    assert load(day) == 33
    day.book(200, 400)
    assert load(day) == 100
