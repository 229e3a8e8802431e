"""The content of a file and, of its mode, the one bit that goes with it wherever it goes."""

_MAY_EXECUTE = 0o100  # its owner, as git has it


class Executable(bytes):
    """The content of a file that may be executed; that of any other is plain bytes. Two files that differ in this alone
    differ. What is computed from it is plain again."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Executable) and bytes.__eq__(self, other)

    def __ne__(self, other: object) -> bool:  # bytes has one of its own
        return not isinstance(other, Executable) or bytes.__ne__(self, other)

    __hash__ = bytes.__hash__

    def __repr__(self) -> str:
        return f"Executable({bytes.__repr__(self)})"


def with_mode(data: bytes, mode: int) -> bytes:
    """The content of a file that has this mode, as `os.stat` or git tells it."""
    return Executable(data) if mode & _MAY_EXECUTE else data


def mode_of(data: bytes | None) -> int:
    """The permissions that a file of this content gets: 0o755 or 0o644, and never another."""
    return 0o755 if isinstance(data, Executable) else 0o644
