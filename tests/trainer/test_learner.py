"""The learner's gradients against the plain ones: full logits, no packing, one row at a time."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from bowerbird.algo import policy_loss
from bowerbird.config import AlgoConfig, LearnerConfig
from bowerbird.trainer import checkpoint
from bowerbird.trainer.learner import Learner
from bowerbird.trainer.optimizer import Optimizer
from bowerbird.trainer.publish import COMPLETE, complete, forget, publish, retain
from bowerbird.types import Completion, Sampling, Stage, TrainingSample

CPU, F32 = torch.device("cpu"), torch.float32
PROMPT = tuple(range(10, 40))


def call(prompt: tuple[int, ...], tokens: tuple[int, ...], **changes: object) -> Completion:
    n = len(tokens)
    plain = Completion(prompt, tokens, (-5.0,) * n, (0,) * n, (True,) * n, (None,) * n, Sampling(0.7), "stop")
    return replace(plain, **changes)  # type: ignore[arg-type]


def batch() -> list[TrainingSample]:
    """Shared prompts, calls that extend another, repairs that fork deep down, forced tokens, choices under exploration,
    mixed versions."""
    first = call(PROMPT, (50, 51, 52), versions=(0, 1, 1))
    longer = call(PROMPT + first.token_ids + (60, 61), (70, 71), versions=(1, 1))
    card = call(
        PROMPT[:9],
        (80, 81, 82, 83),
        sampled=(False, True, False, True),
        logprobs=(0.0, -1.2, 0.0, -0.9),
        choices=(None, (81, 90, 91), None, (83, 84)),
        sampling=Sampling(1.5, 0.2),
    )
    repairs = [call(PROMPT + first.token_ids + tuple(range(60, 90)), (i, 3), versions=(2, 3)) for i in (71, 72, 73)]
    calls = [first, longer, call(PROMPT, (53, 54, 55, 56, 57)), card, call((7, 8), (9,)), call(PROMPT, (50, 51, 52))]
    calls += [*repairs, call(PROMPT + (44,) * 20, (1, 2))]
    advantages = (1.0, -1.5, 0.5, 2.0, -1.0, 0.7, 0.4, -0.6, 1.1, -0.3)
    return [TrainingSample(c, a, Stage.SOLVE) for c, a in zip(calls, advantages, strict=True)] + [
        TrainingSample(call(PROMPT, (99,) * 10), 0.0, Stage.SOLVE)
    ]


def plain_gradient(
    learner: Learner, samples: list[TrainingSample], version: int
) -> tuple[float, dict[str, torch.Tensor]]:
    from bowerbird.inference.loading import load_model

    model = load_model(str(learner.base.config.name_or_path), dtype=F32, device=CPU, attention="eager")
    total, tokens = torch.zeros(()), 0
    for sample in samples:
        done = sample.completion
        logits = model(torch.tensor([done.prompt_ids + done.token_ids])).logits[0] / done.sampling.temperature
        terms = []
        for i, token in enumerate(done.token_ids):
            row, allowed = logits[len(done.prompt_ids) + i - 1], done.choices[i]
            if allowed is None:
                terms.append(torch.log_softmax(row, 0)[token])
            else:
                share = torch.softmax(row[list(allowed)], 0)[allowed.index(token)]
                explore = done.sampling.explore
                terms.append(torch.log((1 - explore) * share + explore / len(allowed)))
        loss = policy_loss(
            torch.stack(terms),
            torch.tensor(done.logprobs),
            torch.full((len(terms),), sample.advantage),
            torch.tensor(done.sampled),
            version - torch.tensor(done.versions),
        )
        total, tokens = total + loss.total, tokens + sum(done.sampled)
    (total / tokens).backward()
    return float(total.detach() / tokens), {n: p.grad for n, p in model.named_parameters() if p.grad is not None}


@pytest.mark.parametrize(("micro", "recompute"), [(64, 1 << 30), (4096, 1 << 30), (4096, 0)])
def test_loss_and_gradient_are_the_plain_ones(tiny: Path, micro: int, recompute: int) -> None:
    settings = LearnerConfig(micro_batch_tokens=micro, recompute_above=recompute)
    learner = Learner(str(tiny), settings, AlgoConfig(), dtype=F32, device=CPU)
    gradients: dict[str, torch.Tensor] = {}

    def capture() -> float:
        gradients.update({n: p.grad.clone() for n, p in learner.base.named_parameters() if p.grad is not None})
        return 0.0

    learner.optimizer.step = capture  # type: ignore[method-assign]
    stats = learner.step(batch(), version=4)
    loss, by_hand = plain_gradient(learner, batch(), version=4)
    assert stats.loss == pytest.approx(loss, rel=1e-4)
    assert gradients.keys() == by_hand.keys()
    for name, gradient in by_hand.items():
        torch.testing.assert_close(gradients[name], gradient, rtol=2e-3, atol=2e-5)


def test_a_step_raises_what_was_rewarded(tiny: Path) -> None:
    learner = Learner(str(tiny), LearnerConfig(learning_rate=1e-3, warmup_steps=0), AlgoConfig(), dtype=F32, device=CPU)
    good, bad = call(PROMPT, (50, 51)), call(PROMPT, (52, 53))
    samples = [TrainingSample(good, 1.0, Stage.SOLVE), TrainingSample(bad, -1.0, Stage.SOLVE)]
    first = learner.step(samples, 0).loss
    for _ in range(3):
        last = learner.step(samples, 0).loss
    assert last < first


def test_lora_publishes_plain_weights(tiny: Path, tmp_path: Path) -> None:
    settings = LearnerConfig(learning_rate=1e-2, warmup_steps=0)
    learner = Learner(str(tiny), settings, AlgoConfig(), dtype=F32, device=CPU, lora_rank=4)
    names = set(Learner(str(tiny), settings, AlgoConfig(), dtype=F32, device=CPU).base.state_dict())
    learner.step(batch(), 4)
    version = publish(learner.base, str(tiny), tmp_path, 1)
    from bowerbird.inference.loading import load_model

    merged = load_model(version.path, dtype=F32, device=CPU, attention="eager")
    assert set(merged.state_dict()) == names
    ids = torch.tensor([PROMPT])
    from bowerbird.trainer.attention import Layout
    from bowerbird.trainer.packing import Packed, Segment

    layout = Layout(Packed(PROMPT, (Segment(0, len(PROMPT), -1, 0),), ()), CPU)
    with torch.no_grad():
        hidden = learner.base.get_decoder()(input_ids=ids, use_cache=False, layout=layout).last_hidden_state
        torch.testing.assert_close(
            learner.base.get_output_embeddings()(hidden), merged(ids).logits, rtol=1e-3, atol=1e-4
        )


@pytest.mark.parametrize(("dtype", "rank"), [(F32, 0), (torch.bfloat16, 0), (F32, 4)])
def test_a_resumed_learner_goes_on_as_if_it_had_not_stopped(
    tiny: Path, tmp_path: Path, dtype: torch.dtype, rank: int
) -> None:
    def make(path: str) -> Learner:
        return Learner(path, LearnerConfig(learning_rate=1e-3), AlgoConfig(), dtype=dtype, device=CPU, lora_rank=rank)

    whole = make(str(tiny))
    whole.step(batch(), 1)
    checkpoint.save(whole, str(tiny), tmp_path, 1, {"note": 1})
    whole.step(batch(), 2)
    resumed = make(str(tiny) if rank else str(tmp_path / "1"))
    assert checkpoint.load(resumed, tmp_path, 1) == {"note": 1}
    resumed.step(batch(), 2)
    for (name, a), (_, b) in zip(whole.model.named_parameters(), resumed.model.named_parameters(), strict=True):
        assert torch.equal(a, b), name


def test_versions_are_whole_or_absent(tiny: Path, tmp_path: Path) -> None:
    learner = Learner(str(tiny), LearnerConfig(), AlgoConfig(), dtype=F32, device=CPU)
    for number in (1, 2, 10):
        publish(learner.base, str(tiny), tmp_path, number)
    (tmp_path / "10" / COMPLETE).unlink()
    (tmp_path / ".11.partial").mkdir()
    assert complete(tmp_path) == [1, 2]
    retain(tmp_path, 1)
    assert complete(tmp_path) == [2]
    assert (tmp_path / "2" / "tokenizer.json").is_file()


@pytest.mark.parametrize("act", [lambda folder: retain(folder, 1), lambda folder: forget(folder, 0)])
def test_what_a_kill_leaves_of_a_deleted_version_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, act: Callable[[Path], None]
) -> None:
    for number in (1, 2):
        (tmp_path / str(number)).mkdir()
        for name in (COMPLETE, "config.json", "model.safetensors"):
            (tmp_path / str(number) / name).touch()

    def killed(folder: Path, ignore_errors: bool = False) -> None:
        (folder / "model.safetensors").unlink()
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("shutil.rmtree", killed)
        with pytest.raises(KeyboardInterrupt):
            act(tmp_path)
    assert complete(tmp_path) == [2]
    act(tmp_path)
    assert not (tmp_path / "1").exists()  # the rest goes with the next


def test_adapters_start_the_same_in_every_run(tiny: Path) -> None:
    def adapters() -> list[torch.Tensor]:
        torch.rand(7)  # whatever was drawn before
        made = Learner(str(tiny), LearnerConfig(), AlgoConfig(), dtype=F32, device=CPU, lora_rank=4)
        return [p.detach() for name, p in made.model.named_parameters() if "lora_A" in name]

    first, second = adapters(), adapters()
    assert first
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_gradients_of_many_bfloat16_micro_batches_add_up_in_float32() -> None:
    """256 + 1 is 256 in bfloat16, however often it is added."""
    weight = torch.nn.Parameter(torch.zeros(4, dtype=torch.bfloat16))
    optimizer = Optimizer([weight], LearnerConfig(clip_norm=1e9))
    for value in [256.0, *[1.0] * 64]:
        weight.grad = torch.full_like(weight, value)
        optimizer.gather()
        assert weight.grad is None
    assert optimizer.step() == pytest.approx(2 * (256 + 64))  # the norm of four equal gradients
