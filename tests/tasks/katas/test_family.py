from bowerbird.tasks.katas import family_names
from bowerbird.tasks.katas.family import FAMILIES, code, ordinal


def test_every_variant_has_an_id_of_its_own_and_a_valid_function_name() -> None:
    assert family_names()
    seen: set[str] = set()
    for family in FAMILIES.values():
        names = set()
        for variant in family.variants():
            assert variant.task_id not in seen
            seen.add(variant.task_id)
            assert variant.draft.name.isidentifier()
            names.add(variant.draft.name)
        assert len(names) == len(family.space) >= 10, family.name
        assert 0 <= family.difficulty <= 1


def test_the_fingerprint_depends_on_content_only() -> None:
    family = FAMILIES["add_constant"]
    assert family.variant((7,)).fingerprint == family.variant((7,)).fingerprint
    assert family.variant((7,)).task_id.startswith("katas/add_constant-7-")
    assert family.variant((7,)).fingerprint != family.variant((8,)).fingerprint
    assert [v.fingerprint for v in family.variants()] == sorted(v.fingerprint for v in family.variants())


def test_code_fills_python_literals() -> None:
    assert code("return {$k: $n}", k="a'b", n=-3) == 'return {"a\'b": -3}'


def test_ordinals() -> None:
    shown = " ".join(ordinal(n) for n in (1, 2, 3, 4, 11, 12, 13, 21, 22, 112))
    assert shown == "1st 2nd 3rd 4th 11th 12th 13th 21st 22nd 112th"
