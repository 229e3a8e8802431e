"""Breaking text into lines."""


def wrap(text, width):
    """Lines of at most `width` characters; a word that is longer is cut."""
    if width < 1:
        raise ValueError("width is at least 1")
    lines = []
    line = ""
    for word in text.split():
        while len(word) > width:
            if line:
                lines.append(line)
                line = ""
            lines.append(word[:width])
            word = word[width:]
        if not word:
            continue
        if line and len(line) + 1 + len(word) > width:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    if line:
        lines.append(line)
    return lines


def shorten(text, width):
    """The text, or its beginning with three dots, in `width` characters."""
    if len(text) <= width:
        return text
    if width < 4:
        return text[:width]
    return text[: width - 3] + "..."


def indent(lines, count):
    """Spaces before each line that holds anything."""
    return [" " * count + line if line else line for line in lines]
