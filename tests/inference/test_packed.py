"""Packed layers compute what the layers they replace do."""

import pytest
import torch
from torch import Tensor, nn

from bowerbird.inference.packed import PackedLinear, pack_linears

CPU = torch.device("cpu")
BF16 = torch.ops.mkldnn._is_mkldnn_bf16_supported()


class Small(nn.Module):
    """An embedding, a layer with a bias, and a head that shares the embedding's weights."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.body = nn.Embedding(300, 48), nn.Linear(48, 48)
        self.head = nn.Linear(48, 300, bias=False)
        self.head.weight = self.embedding.weight

    def get_input_embeddings(self) -> nn.Embedding:
        return self.embedding

    def forward(self, ids: Tensor) -> Tensor:
        return self.head(self.body(self.embedding(ids)))


@pytest.mark.parametrize(
    ("dtype", "near"),
    [
        (torch.float32, 1e-5),
        pytest.param(torch.bfloat16, 2**-6, marks=pytest.mark.skipif(not BF16, reason="no bfloat16 in this CPU")),
    ],
)
@pytest.mark.parametrize("shape", [(1, 1), (8, 1), (3, 70)])
def test_a_packed_model_is_the_model(dtype: torch.dtype, near: float, shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    model = Small().to(dtype)
    ids = torch.randint(300, shape)
    with torch.inference_mode():
        before = model(ids)
        packed = pack_linears(model, dtype, CPU)
        after = model(ids)
        assert packed.keys() == {"body.weight", "head.weight"}
        assert after.dtype == dtype
        assert torch.allclose(before.float(), after.float(), rtol=near, atol=near * before.float().abs().max().item())

        packed["body.weight"].pack(torch.zeros(48, 48, dtype=torch.float32))  # a version in another precision
        constant = model.head(model.body.bias)
        assert torch.allclose(model(ids)[-1, -1].float(), constant.float(), rtol=near, atol=near)


def test_a_layer_knows_whose_weight_it_shares() -> None:
    packed = pack_linears(model := Small(), torch.float32, CPU)
    assert packed["head.weight"].tied is model.embedding.weight
    assert packed["body.weight"].tied is None
    assert isinstance(model.head, PackedLinear)


def test_what_onednn_does_not_multiply_stays_as_it_is() -> None:
    assert pack_linears(Small().half(), torch.float16, CPU) == {}
