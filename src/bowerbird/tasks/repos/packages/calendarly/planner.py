"""Finding room in people's days."""

from calendarly.spans import length, merge, overlaps, subtract


class Day:
    """One person's day, with the hours in which they can be met."""

    def __init__(self, opens, closes):
        self.hours = (opens, closes)
        self._busy = []

    def book(self, start, end):
        """Raises ValueError outside of the hours, or where something is booked."""
        wanted = (start, end)
        if start < self.hours[0] or end > self.hours[1] or end <= start:
            raise ValueError("outside of the hours")
        if any(overlaps(wanted, other) for other in self._busy):
            raise ValueError("already booked")
        self._busy.append(wanted)

    def cancel(self, start, end):
        """Whether there was such a booking."""
        if (start, end) not in self._busy:
            return False
        self._busy.remove((start, end))
        return True

    def busy(self):
        return merge(self._busy)

    def free(self):
        return subtract(self.hours, self._busy)


def common(days, least):
    """Spans of at least so many minutes in which all are free."""
    opens = max(day.hours[0] for day in days)
    closes = min(day.hours[1] for day in days)
    if closes <= opens:
        return []
    taken = [span for day in days for span in day.busy()]
    return [span for span in subtract((opens, closes), taken) if span[1] - span[0] >= least]


def load(day):
    """The booked share of a day's hours, in percent, rounded down."""
    return 100 * length(day.busy()) // length([day.hours])
