"""Placing text in columns."""


def pad(text, width, side):
    """To `width`, the text at the side "left", "right" or "middle"; longer text stays as it is."""
    if side == "left":
        return text.ljust(width)
    if side == "right":
        return text.rjust(width)
    if side != "middle":
        raise ValueError(f"no such side: {side}")
    room = max(width - len(text), 0)
    before = room // 2
    return " " * before + text + " " * (room - before)


def side_of(values):
    """Numbers stand to the right, all else to the left; an empty column too."""
    if not values:
        return "left"
    return "right" if all(is_number(value) for value in values) else "left"


def is_number(text):
    digits = text[1:] if text[:1] in ("-", "+") else text
    whole, _, part = digits.partition(".")
    if not whole.isdigit():
        return False
    return part.isdigit() or digits == whole
