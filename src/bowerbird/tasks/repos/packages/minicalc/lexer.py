"""Text to tokens: pairs of kind and text."""

SINGLE = "+-*/%()=,"


def tokens(text):
    """Raises ValueError, with the place, for what is no token."""
    found = []
    i = 0
    while i < len(text):
        char = text[i]
        if char.isspace():
            i += 1
        elif char.isdigit():
            end = i
            while end < len(text) and text[end].isdigit():
                end += 1
            found.append(("number", text[i:end]))
            i = end
        elif char.isalpha() or char == "_":
            end = i
            while end < len(text) and (text[end].isalnum() or text[end] == "_"):
                end += 1
            found.append(("name", text[i:end]))
            i = end
        elif char in SINGLE:
            found.append(("sign", char))
            i += 1
        else:
            raise ValueError(f"{char!r} at {i}")
    return found
