"""Tables of text."""

from gridtext.align import pad, side_of


def widths(rows):
    """The longest text of each column. Rows may be of different length."""
    found = []
    for row in rows:
        for i, text in enumerate(row):
            if i == len(found):
                found.append(0)
            found[i] = max(found[i], len(text))
    return found


def render(head, rows):
    """Lines: the head, a rule, and the rows, without spaces at the ends."""
    columns = widths([head, *rows])
    sides = [side_of([row[i] for row in rows if i < len(row)]) for i in range(len(columns))]
    lines = [_line(head, columns, sides), "  ".join("-" * width for width in columns)]
    for row in rows:
        lines.append(_line(row, columns, sides))
    return lines


def _line(row, columns, sides):
    cells = []
    for i, width in enumerate(columns):
        text = row[i] if i < len(row) else ""
        cells.append(pad(text, width, sides[i]))
    return "  ".join(cells).rstrip()


def sort_rows(rows, column, down=False):
    """By a column's text; rows that lack it come last, whatever the direction."""
    having = [row for row in rows if column < len(row)]
    lacking = [row for row in rows if column >= len(row)]
    return sorted(having, key=lambda row: row[column], reverse=down) + lacking
