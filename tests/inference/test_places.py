"""The store of keys and values, by random use, against a plain dictionary."""

import random

import pytest
import torch

from bowerbird.inference.places import Place, Places
from bowerbird.inference.recall import common


def store(tokens: int) -> Places:
    return Places(2, 1, 4, tokens=tokens, dtype=torch.float32, device=torch.device("cpu"))


@pytest.mark.parametrize("seed", range(8))
def test_every_place_keeps_its_own(seed: int) -> None:
    """Taken, written, given back in any order: each reads as written, and the memory stays within its bound."""
    choose, places = random.Random(seed), store(4096)
    held: list[tuple[Place, torch.Tensor]] = []
    for number in range(400):
        if held and choose.random() < 0.45:
            place, _ = held.pop(choose.randrange(len(held)))
            places.give_back(place)
        else:
            size = choose.choice([10, 60, 64, 65, 200, 300, 900])
            taken = places.take(size)
            if taken is None:
                assert held, "an empty store has room for anything"
                continue
            assert taken.slab.capacity >= size
            kv = torch.full((2, 2, 1, size, 4), float(number))
            taken.write(kv)
            held.append((taken, kv))
        assert places.tokens <= 4096
        for place, kv in held:
            assert torch.equal(place.read(place.length), kv)
    for place, _ in held:
        places.give_back(place)
    assert places.tokens == 0


def test_a_row_longer_than_the_store_has_it_alone() -> None:
    places = store(128)
    place = places.take(1000)
    assert place is not None
    assert places.take(1) is None
    places.give_back(place)
    assert places.take(1) is not None


@pytest.mark.parametrize("seed", range(5))
def test_the_common_beginning(seed: int) -> None:
    choose = random.Random(seed)
    for _ in range(200):
        one, other = (tuple(choose.randrange(2) for _ in range(choose.randrange(9))) for _ in range(2))
        expected = next(
            (i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
        )
        assert common(one, other) == expected
