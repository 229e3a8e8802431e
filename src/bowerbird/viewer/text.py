"""Words and numbers as a person reads them."""

STEP_PHASES = ("draw", "propose", "solve", "grade", "learn", "publish")  # the parts of a step, in order


def clean(text: str, limit: int = 2000) -> str:
    """`text` on one line, safe to print: control and other unprintable characters are written as escapes.

    Models and tasks write what is shown here; an escape sequence of theirs must not reach the terminal.
    """
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text[:limit])
    return shown + ("…" if len(text) > limit else "")


def clean_lines(text: str, limit: int = 20_000) -> str:
    """The same, line by line: line ends stay."""
    return "\n".join(clean(line, limit) for line in text.split("\n"))


def duration(seconds: float) -> str:
    """3.4 s, 42 s, 3:07, 1:02:03."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def percent(share: float) -> str:
    return f"{100 * share:.0f}%"
