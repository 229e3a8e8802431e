"""What one command leaves running, the next finds; and nothing outlives the session."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from bowerbird.evals.harbor.session import Session
from bowerbird.sandbox import Execution, LocalSandbox

pytestmark = pytest.mark.sandbox

SERVER = (
    "nohup python3 -m http.server 8000 --bind 127.0.0.1 >/dev/null 2>&1 & "
    "for i in $(seq 50); do {} && break; sleep 0.1; done"
)
ASK = "python3 -c 'import urllib.request as u; u.urlopen(\"http://127.0.0.1:8000/\")' 2>/dev/null"


@pytest.fixture
def session() -> Iterator[Session]:
    with closing(LocalSandbox(watch="off")) as sandbox:
        session = Session(sandbox.open({}), sandbox.python)
        yield session
        session.end()


def said(session: Session, command: str, seconds: float = 20.0, **variables: str) -> Execution:
    return session.run(("/bin/sh", "-c", command), "/work", variables, seconds)


def test_a_server_is_there_for_the_next_command_until_the_session_ends(session: Session) -> None:
    assert said(session, SERVER.format(ASK)).exit_code == 0
    assert said(session, ASK).exit_code == 0
    assert said(session, "echo kept > file; echo there > /tmp/file").exit_code == 0
    session.end()
    assert said(session, ASK).exit_code == 1
    assert said(session, "cat file; cat /tmp/file").stdout == b"kept\n"


def test_folder_variables_outputs_and_status(session: Session) -> None:
    done = said(session, "pwd; echo $COLOUR; echo bad >&2; exit 3", COLOUR="red")
    assert (done.exit_code, done.stdout, done.stderr) == (3, b"/work\nred\n", b"bad\n")
    assert session.run(("/no/such",), "/work", {}, 5.0).exit_code == 126


def test_a_command_that_takes_too_long_is_killed_and_the_next_one_runs(session: Session) -> None:
    assert said(session, "echo begun; sleep 100", 0.5).timed_out
    assert said(session, "echo next").stdout == b"next\n"


def test_a_flood_is_cut(session: Session) -> None:
    done = said(session, "head -c 20000000 /dev/zero")
    assert done.exit_code == 0
    assert len(done.stdout) == 4 << 20


def test_whoever_kills_the_attendant_ends_only_the_session(session: Session) -> None:
    assert said(session, "kill -9 $PPID; sleep 5").exit_code != 0
    assert said(session, "echo again").stdout == b"again\n"
