"""A shell that lives on from command to command, though each command's processes are dead at its end.

Its folder and its exported variables are told after every command, behind a mark, and restored before the next. A
command that ends otherwise (killed, or replaced by `exec`) leaves them as they were.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bowerbird.sandbox import Execution

_LONGEST = 4096  # bytes of a folder's path
_BOUND = 1 << 15  # bytes of variables; a command line has to hold them
# $1 folder, $2 variables, $3 command, $4 mark
_SCRIPT = """eval "$2" 2>/dev/null
[ -z "$1" ] || cd -- "$1" 2>/dev/null || cd /work
__mark=$4
trap '__code=$?; printf "\\n%s\\n" "$__mark"; pwd; export -p; exit $__code' EXIT
eval "$3" 2>&1
"""


@dataclass(slots=True)
class Session:
    """What lives on."""

    folder: str = ""  # "": where commands begin
    variables: str = ""

    def argv(self, command: str, mark: str) -> tuple[str, ...]:
        return ("/bin/bash", "-c", _SCRIPT, "shell", self.folder, self.variables, command, mark)

    def finished(self, done: Execution, mark: str) -> str:
        """What the command printed; the session is then as it left it."""
        text = (done.stdout + done.stderr).decode("utf-8", "replace")
        shown, found, rest = text.rpartition(f"\n{mark}\n")
        if not found:
            note = "it was stopped at the time limit" if done.timed_out else "it printed too much and was stopped"
            return f"{text}\n({note})" if done.timed_out or done.truncated else text
        folder, _, variables = rest.partition("\n")
        if "\0" not in rest and len(folder.encode()) <= _LONGEST and len(variables.encode()) <= _BOUND:
            self.folder, self.variables = folder or self.folder, variables
        return shown


def command_of(argv: Sequence[str]) -> str:
    """What was asked for, out of the command line that runs it: a session's, or any other."""
    if len(argv) == 8 and argv[2] == _SCRIPT:
        return argv[6]
    return argv[-1] if tuple(argv[:2]) == ("/bin/sh", "-c") else " ".join(argv)
