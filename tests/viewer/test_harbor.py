"""Harbor's own viewer on what we export, over HTTP.

BOWERBIRD_HARBOR=/path/to/its/bin/harbor pytest tests/viewer/test_harbor.py
"""

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.viewer.test_atif import CALL, command, made

HARBOR = os.environ.get("BOWERBIRD_HARBOR", "")


@contextmanager
def viewing(folder: Path, log: Path) -> Iterator[httpx.Client]:
    """`harbor view FOLDER` on a port of its own."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    words = [HARBOR, "view", str(folder), "--port", str(port), "--no-build"]
    with log.open("wb") as said, subprocess.Popen(words, stdout=said, stderr=said) as server:
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
                _await(client, server, log)
                yield client
        finally:
            server.terminate()


def _await(client: httpx.Client, server: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + 120
    while time.monotonic() < end and server.poll() is None:
        try:
            client.get("/api/health").raise_for_status()
            return
        except httpx.HTTPError:
            time.sleep(0.2)
    pytest.fail(f"harbor view did not start: {log.read_text()}")


@pytest.mark.skipif(not HARBOR, reason="Harbor lives in an environment of its own: BOWERBIRD_HARBOR")
def test_harbors_viewer_lists_and_opens_what_was_exported(tmp_path: Path) -> None:
    assert command("export", made(tmp_path / "run"), "--to", tmp_path / "jobs").exit_code == 0
    with viewing(tmp_path / "jobs", tmp_path / "log") as client:
        jobs = client.get("/api/jobs").raise_for_status().json()["items"]
        assert sorted((job["name"], job["n_completed_trials"], job["n_errored_trials"]) for job in jobs) == [
            ("run-00001", 2, 1),
            ("run-00002", 1, 1),
        ]
        (task,) = client.get("/api/jobs/run-00001/tasks").raise_for_status().json()["items"]
        assert (task["task_name"], task["n_trials"], task["exception_types"]) == ("katas/a", 2, ["hacked"])
        trials = client.get("/api/jobs/run-00001/trials").raise_for_status().json()["items"]
        assert [(trial["name"], trial["reward"], trial["error_type"]) for trial in trials] == [
            ("1-0-0-0", 1.0, None),
            ("1-0-0-1", 0.0, "hacked"),
        ]
        whole = client.get("/api/jobs/run-00001/trials/1-0-0-0").raise_for_status().json()
        assert (whole["agent_info"]["model_info"]["name"], whole["agent_result"]["n_output_tokens"]) == ("small", 4)
        found = client.get("/api/jobs/run-00001/trials/1-0-0-0/trajectory").raise_for_status().json()
        assert found["steps"][1]["metrics"]["completion_token_ids"] == CALL["token_ids"]
