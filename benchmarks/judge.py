"""Rollouts graded per second in real sandboxes: with a judge that takes 2 s an answer, and without any.

Every rollout is different, passes, and is shown to the judge; nothing comes from the cache. The judge's last answers
arrive 2 s after the last verification, once a stream: the longer the stream, the less that counts. Takes
a quarter of an hour.
"""

import asyncio
import json
import multiprocessing
import os
import resource
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from time import perf_counter

from sides import Measured, main

from bowerbird.config import JudgeConfig
from bowerbird.rewards.grade import Graded, advise, grade
from bowerbird.rewards.judge import Judge, JudgeProcess, grade_all
from bowerbird.rewards.oracle import OracleVerifier
from bowerbird.sandbox import open_sandbox
from bowerbird.types import Case, Facts, Rollout, Scaffold, TaskView, VerifierSpec

ROLLOUTS = int(os.environ.get("ROLLOUTS", "4800"))
ROUNDS = int(os.environ.get("ROUNDS", "3"))
WORKERS, AT_ONCE, ANSWER_S = 2, JudgeConfig().at_once, 2.0
TASK = TaskView("bench", "bench", "Write add(a, b).", "add", (Case((1, 1), 2),))
SPEC = VerifierSpec("bench", "oracle", "add", tuple(Case((i, 2), i + 2) for i in range(5)))
SCAFFOLD = Scaffold("bench", "bench", "card", "{}", {}, None, None, None, 0)
ANSWER = json.dumps({"reason": "fine", "quotes": [], "decision": "abstain"})


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One kept-alive connection of the fake endpoint."""
    body = json.dumps({"choices": [{"message": {"role": "assistant", "content": ANSWER}}]}).encode()
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n".encode()
    while True:
        try:
            request = (await reader.readuntil(b"\r\n\r\n")).lower()
            await reader.readexactly(int(request.split(b"content-length:")[1].split(b"\r\n")[0]))
        except asyncio.IncompleteReadError:
            writer.close()
            return
        await asyncio.sleep(ANSWER_S)
        writer.write(head + body)


async def _listen(port: "multiprocessing.Queue[int]") -> None:
    server = await asyncio.start_server(_answer, "127.0.0.1", 0, limit=1 << 20)
    port.put(server.sockets[0].getsockname()[1])
    await server.serve_forever()


def _endpoint(port: "multiprocessing.Queue[int]") -> None:
    os.nice(19)  # elsewhere, it would be on another machine
    asyncio.run(_listen(port))


def _rollout(number: int) -> Rollout:
    code = f"def add(a, b):\n    number_{number} = a + b\n    return number_{number}\n".encode()
    return Rollout(f"r{number}", "bench", "bench", (), {"solution.py": code}, (), Facts(), None, None)


def _graded(judge: Judge | None) -> Measured:
    verifier = OracleVerifier(open_sandbox("local"))
    rollouts = [_rollout(i) for i in range(ROLLOUTS)]
    examine = partial(_examine, verifier)
    last = perf_counter()

    def ask(graded: Graded) -> Graded:
        return advise(graded, judge, veto=True) if judge is not None else graded

    def examined(rollout: Rollout) -> Graded:
        nonlocal last
        graded = examine(rollout)
        last = perf_counter()
        return graded

    with ThreadPoolExecutor(WORKERS) as sandboxes, ThreadPoolExecutor(AT_ONCE) as judges:
        grade_all(rollouts[:20], examine, lambda g: g, sandboxes, judges)  # warm: files read, sandbox probed
        start, used = perf_counter(), _processor_s()
        found = grade_all(rollouts, examined, ask, sandboxes, judges)
        whole = perf_counter() - start
    assert all(graded.verdict.reward == 1.0 for graded in found)
    assert all((graded.verdict.opinion is not None) == (judge is not None) for graded in found)
    own, others = (1e3 * (now - before) / ROLLOUTS for now, before in zip(_processor_s(), used, strict=True))
    return {
        "rollouts/s": ROLLOUTS / whole,
        "until all verified/s": ROLLOUTS / (last - start),
        "seconds": whole,
        "own ms/rollout": own,
        "sandboxes ms/rollout": others,
    }


def _processor_s() -> tuple[float, float]:
    """Processor seconds of this process and of its ended children, so far."""
    own, others = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime, others.ru_utime + others.ru_stime


def _examine(verifier: OracleVerifier, rollout: Rollout) -> Graded:
    return grade(TASK, SPEC, SCAFFOLD, rollout, verifier)


def with_judge() -> Measured:
    port: multiprocessing.Queue[int] = multiprocessing.Queue()
    server = multiprocessing.Process(target=_endpoint, args=(port,), daemon=True)
    server.start()
    config = JudgeConfig(endpoint=f"http://127.0.0.1:{port.get()}/v1", model="slow", at_once=AT_ONCE)
    judge = JudgeProcess(config)
    try:
        return {**_graded(judge), "threads": threading.active_count()}
    finally:
        judge.close()
        server.terminate()
        server.join()


if __name__ == "__main__":
    main({"judge of 2 s": with_judge, "no judge": lambda: _graded(None)}, "rollouts/s", rounds=ROUNDS)
