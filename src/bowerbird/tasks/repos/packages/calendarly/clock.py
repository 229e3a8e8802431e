"""Minutes of a day as people write them."""

DAY = 1440


def parse(text):
    """ "9:30" as minutes since midnight; "24:00" is the end of the day. Raises ValueError."""
    hours, colon, minutes = text.strip().partition(":")
    if not colon or not hours.isdigit() or not minutes.isdigit() or len(minutes) != 2:
        raise ValueError(f"not a time: {text!r}")
    found = int(hours) * 60 + int(minutes)
    if int(minutes) >= 60 or found > DAY:
        raise ValueError(f"not a time: {text!r}")
    return found


def show(minutes):
    """Minutes since midnight as "09:30"."""
    if minutes < 0 or minutes > DAY:
        raise ValueError(f"not within a day: {minutes}")
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def duration(minutes):
    """ "1h 05m", "45m" or "2h"."""
    hours, rest = minutes // 60, minutes % 60
    if hours and rest:
        return f"{hours}h {rest:02d}m"
    return f"{hours}h" if hours else f"{rest}m"
