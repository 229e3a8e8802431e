"""Text that others wrote, made harmless to show: nothing invisible, no control tokens, no more than fits."""

import re

_PLAIN = re.compile(r"[^\x20-\x7e\n\t]+")
_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")  # printable to Python, invisible to people

# What the chat templates in use take for the end of a turn, a role, or the model's own thoughts.
_BARS = re.compile(r"<(?=[|\uff5c])|(?<=[|\uff5c])>")
_BRACKETS = re.compile(r"\[(?=/?[A-Z_]{3,24}\])")  # [INST], [/SYSTEM_PROMPT], [TOOL_CALLS]
_TAGS = re.compile(
    r"<(?=<?/?(?:s|pad|unk|mask|bos|eos|cls|sep|sys|think|thinking|reasoning|answer|system|user|assistant|human|"
    r"(?:start|end)_of_\w{1,20}|tools?|tool_(?:call|response|result|output)s?|function_(?:call|result)s?|"
    r"repo_?name|file_?name|file_sep|gh_stars|empty_output|(?:issue|jupyter|fim|commit)_\w{1,20})>)",
    re.IGNORECASE,
)
_BREAK = "\u00a6"  # a broken bar: no template knows it


def neutralise(text: str) -> str:
    """`text` with line ends as \\n, everything invisible spelled out as \\u{...}, and no control token left whole."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = _PLAIN.sub(lambda found: "".join(map(_visible, found[0])), text)
    text = _BARS.sub(_BREAK, text)
    text = _BRACKETS.sub(f"[{_BREAK}", text)
    return _TAGS.sub(f"<{_BREAK}", text)


def _visible(character: str) -> str:
    if character.isprintable() and not _SELECTORS.match(character):
        return character
    return f"\\u{{{ord(character):x}}}"


def cut(text: str, limit: int) -> tuple[str, str, int]:
    """(head, tail, characters left out between them). A text within `limit` is all head. The same text is always cut
    at the same places, where lines end if one ends near."""
    if len(text) <= limit:
        return text, "", 0
    head, tail = text[: limit - limit // 2], text[len(text) - limit // 2 :]
    end, start = head.rfind("\n"), tail.find("\n")
    if end > len(head) * 3 // 4:
        head = head[:end]
    if 0 <= start < len(tail) // 4:
        tail = tail[start + 1 :]
    return head, tail, len(text) - len(head) - len(tail)


def shares(lengths: list[int], room: int) -> list[int]:
    """How much of `room` each text gets: short ones all they need, the long ones the rest in equal parts."""
    given = [0] * len(lengths)
    left = room
    for done, place in enumerate(sorted(range(len(lengths)), key=lambda i: (lengths[i], i))):
        given[place] = min(lengths[place], left // (len(lengths) - done))
        left -= given[place]
    return given


def squeezed(text: str) -> str:
    """`text` with every run of white space as one blank: how quotes are compared."""
    return " ".join(text.split())
