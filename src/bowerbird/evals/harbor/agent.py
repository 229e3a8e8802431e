"""Our agent as Harbor runs it: a scaffold on the host, its commands and files in Harbor's environment."""

import asyncio
import json
import os
import shlex
import tempfile
import threading
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any

from harbor.agents.base import BaseAgent
from harbor.environments.base import BaseEnvironment
from harbor.models.agent.context import AgentContext

from bowerbird import __version__
from bowerbird.config import BUILT_IN_TOOLS
from bowerbird.inference.remote import Endpoint, RemoteSampler
from bowerbird.rollout.alone import run_alone
from bowerbird.rollout.atif import trajectory
from bowerbird.rollout.budget import Budget
from bowerbird.rollout.desk import READ_BYTES, Desk
from bowerbird.rollout.effects import Act, AtDesk, Draft, Read, Reply, Restore, Snapshot, Speak, Write
from bowerbird.rollout.interpret import program_of, run_of
from bowerbird.rollout.tools import toolset
from bowerbird.sandbox import Collected, Execution, FakeSandbox, Sandbox, open_sandbox
from bowerbird.sandbox.process import unusable
from bowerbird.scaffold.written import acting_from_file
from bowerbird.solve.work import Workshop, propose, react
from bowerbird.types import ConfigError, InfraError, Scaffold, TaskError, TaskView

_TASK = "harbor"
_SNAPSHOTS = "/var/tmp/.bowerbird-snapshots"
_TROUBLE = (OSError, RuntimeError, ValueError, LookupError, TaskError)  # of an environment: told to the model


class BowerbirdAgent(BaseAgent):  # type: ignore[misc]
    """`--agent-kwarg`: endpoint (required), key_env, tier (plan, program or none), scaffold (a file with a plan or a
    program), tokens, turns, turn_tokens."""

    def __init__(
        self,
        logs_dir: Path,
        model_name: str | None = None,
        *,
        endpoint: str = "",
        key_env: str = "OPENAI_API_KEY",
        tier: str = "none",
        scaffold: str = "",
        tools: str = "",
        tokens: int = 200_000,
        turns: int = 100,
        turn_tokens: int = 4096,
        **more: Any,
    ) -> None:
        super().__init__(logs_dir, model_name, **more)
        if not endpoint:
            raise ConfigError("give the model's server: --agent-kwarg endpoint=http://localhost:8000/v1")
        self._endpoint = Endpoint(endpoint, model_name or "", key_env)
        self._tier = tier
        self._over = threading.Event()
        own = toolset((*BUILT_IN_TOOLS, *filter(None, tools.split(","))))
        self._budget = Budget(int(tokens), int(turns), 4 * int(turns), int(turn_tokens), action_s=300.0, tools=own)
        self._given = acting_from_file(Path(scaffold), "given", _TASK, self._budget.tool_names) if scaffold else None

    @staticmethod
    def name() -> str:
        return "bowerbird"

    def version(self) -> str | None:
        return __version__

    async def setup(self, environment: BaseEnvironment) -> None:
        """Nothing of ours is installed there."""

    async def run(self, instruction: str, environment: BaseEnvironment, context: AgentContext) -> None:
        sampler = RemoteSampler(self._endpoint)
        try:
            loop = asyncio.get_running_loop()
            draft, scaffold = await asyncio.to_thread(self._work, instruction, environment, sampler, loop)
        finally:  # also at Harbor's time limit: the thread must not go on while the work is graded
            self._over.set()
            context.n_input_tokens, context.n_output_tokens = sampler.usage.prompt, sampler.usage.completion
            await asyncio.shield(asyncio.to_thread(sampler.close))
        context.metadata = {"tier": scaffold.tier, "calls": len(draft.calls), "scaffold": scaffold.text}
        self._keep(instruction, draft, sampler)

    def _work(
        self, instruction: str, environment: BaseEnvironment, sampler: RemoteSampler, loop: asyncio.AbstractEventLoop
    ) -> tuple[Draft, Scaffold]:
        task = TaskView(_TASK, "harbor", instruction, "", (), ())
        shop = Workshop(sampler, FakeSandbox(), self._budget)
        scaffold = self._chosen(task, shop)
        run, program = run_of(task, scaffold, sampler.chat, self._budget, 0), program_of(scaffold)
        cell = open_sandbox("local", watch="off") if program else shop.sandbox
        desk = HarborDesk(environment, loop, self._over, cell, task, program)
        try:
            return run_alone(run, task, sampler, shop.sandbox, desk), scaffold
        finally:
            desk.close()

    def _chosen(self, task: TaskView, shop: Workshop) -> Scaffold:
        if self._given is not None:
            return self._given
        if self._tier == "none":
            return react(shop)
        own = propose(task, shop, self._tier, None, 0)
        if own.invalid is not None:
            self.logger.warning("its scaffold cannot be used (%s): the plain loop instead", own.invalid)
            return react(shop)
        return own

    def _keep(self, instruction: str, draft: Draft, sampler: RemoteSampler) -> None:
        """The talk as ATIF, where Harbor's viewer looks for it."""
        name, model = self.session_id or "bowerbird", self.model_name or ""
        whole = trajectory(name, instruction, draft.calls, draft.log, model, exact=False)
        usage = sampler.usage
        counted = {"total_prompt_tokens": usage.prompt, "total_completion_tokens": usage.completion}
        whole["final_metrics"] |= counted
        (self.logs_dir / "trajectory.json").write_text(json.dumps(whole, indent=1))


class HarborDesk(Desk):
    """A rollout's workspace that is Harbor's environment. Its calls wait in a thread for the loop that Harbor runs."""

    def __init__(
        self,
        environment: BaseEnvironment,
        loop: asyncio.AbstractEventLoop,
        over: threading.Event,
        cell: Sandbox,
        task: TaskView,
        program: Sequence[str],
    ) -> None:
        """Once `over` is set nothing happens there any more."""
        super().__init__(cell, task, program)
        self._environment, self._loop, self._over = environment, loop, over
        self._taken = 0
        self._folder = self._ran("pwd", 30.0).stdout.decode().strip() or "/"

    def do(self, effect: AtDesk) -> Reply:
        match effect:
            case Act():
                if problem := unusable(effect.argv):
                    return Execution(126, b"", problem.encode())
                return self._ran(shlex.join(effect.argv), effect.wall_s)
            case Read():
                return self._read(effect.paths)
            case Write():
                return self._put(effect)
            case Snapshot():
                return self._snapshot()
            case Restore():
                place, folder = f"{_SNAPSHOTS}/{effect.number}.tar", shlex.quote(self._folder)
                command = f"test -f {place} && find {folder} -mindepth 1 -delete && tar xf {place} -C {folder}"
                return self._ran(command, 300.0).exit_code == 0
            case Speak():
                return super().do(effect)

    def _snapshot(self) -> int:
        """None of a folder that holds the snapshots themselves."""
        if self._folder == "/" or _SNAPSHOTS.startswith(self._folder):
            return 0
        place = f"{_SNAPSHOTS}/{self._taken + 1}.tar"
        done = self._ran(f"mkdir -p {_SNAPSHOTS} && tar cf {place} -C {shlex.quote(self._folder)} .", 300.0)
        self._taken += done.exit_code == 0
        return self._taken if done.exit_code == 0 else 0

    def _ran(self, command: str, seconds: float) -> Execution:
        try:
            done = self._wait(self._environment.exec(command, timeout_sec=max(1, round(seconds))))
        except _TROUBLE as error:
            return Execution(None, b"", str(error).encode(errors="replace"), timed_out=True)
        out, err = (text.encode()[: 1 << 20] for text in (done.stdout or "", done.stderr or ""))
        return Execution(done.return_code, out, err)

    def _read(self, paths: Sequence[str]) -> Collected:
        files, anomalies = {}, []
        with tempfile.TemporaryDirectory() as folder:
            for number, path in enumerate(paths):
                target = Path(folder) / str(number)
                try:
                    self._wait(self._environment.download_file(self._absolute(path), target))
                    # some environments copy a link as a link, and it would be followed here
                    if target.is_symlink() or not target.is_file() or target.stat().st_size > READ_BYTES:
                        anomalies.append(f"{path}: not a regular file of at most {READ_BYTES} bytes")
                        continue
                    files[path] = target.read_bytes()
                except _TROUBLE as error:
                    anomalies.append(f"{path}: {error}")
        return Collected(files, tuple(anomalies))

    def _put(self, effect: Write) -> bool:
        target = self._absolute(effect.path)
        folder, there = shlex.quote(str(Path(target).parent)), shlex.quote(target)
        with tempfile.NamedTemporaryFile() as file:
            file.write(effect.data)
            file.flush()
            try:
                known = self._ran(f"mkdir -p {folder} && test -f {there} -a -x {there}", 30.0)
                os.fchmod(file.fileno(), 0o755 if known.exit_code == 0 else 0o644)
                self._wait(self._environment.upload_file(file.name, target))
            except _TROUBLE:
                return False
        return True

    def _absolute(self, path: str) -> str:
        return path if path.startswith("/") else f"{self._folder}/{path}"

    def _wait(self, what: Coroutine[Any, Any, Any]) -> Any:
        if self._over.is_set():
            what.close()
            raise InfraError("the trial is over")
        return asyncio.run_coroutine_threadsafe(what, self._loop).result()
