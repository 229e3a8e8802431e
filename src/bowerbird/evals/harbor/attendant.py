"""Runs commands one after the other for as long as its sandbox lives; what they leave running goes on meanwhile.

    one JSON line in    argv, cwd, env (added), seconds, most (bytes of each output that are told)
    one JSON line out   code (null: out of time), out and err in base64

It is the first process inside a sandbox, so it needs the standard library and nothing else.
"""

import base64
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from typing import IO, Any


def run(asked: dict[str, Any]) -> dict[str, Any]:
    """Its outputs go into files: a server that it leaves behind would hold pipes open for ever."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        try:
            started = subprocess.Popen(
                asked["argv"],
                cwd=asked["cwd"],
                env=os.environ | asked["env"],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            return {"code": 126, "out": "", "err": base64.b64encode(str(error).encode()).decode()}
        code = _wait(started, asked["seconds"])
        return {"code": code, "out": _told(out, asked["most"]), "err": _told(err, asked["most"])}


def _wait(started: "subprocess.Popen[bytes]", seconds: float) -> int | None:
    try:
        return started.wait(seconds)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(started.pid, signal.SIGKILL)
        started.wait()
        return None


def _told(file: IO[bytes], most: int) -> str:
    file.seek(0)
    return base64.b64encode(file.read(most)).decode()


if __name__ == "__main__":
    for line in sys.stdin.buffer:
        sys.stdout.write(json.dumps(run(json.loads(line))) + "\n")
        sys.stdout.flush()
