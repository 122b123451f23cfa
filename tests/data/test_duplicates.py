"""What is there twice is counted, whatever it looks like."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_tasks import SPECS, random_batch

from mmjax.data.duplicates import ABSENT, contradicted, keys_of, repeated, shared
from mmjax.types import TargetSpec

KEYS = st.lists(st.binary(min_size=1, max_size=1), min_size=1, max_size=30)


@pytest.mark.parametrize("spec", SPECS[:4], ids=lambda spec: spec.kind)
def test_keys_are_equal_exactly_where_values_are(spec):
    batch = random_batch((spec,), TargetSpec("binary"), 12)
    values = batch.inputs[spec.name]
    values[5] = values[2]
    if spec.has_length:
        batch.lengths[spec.name][5] = batch.lengths[spec.name][2]
    keys = keys_of(batch, spec.name)
    assert keys[5] == keys[2] and len(set(keys)) == 11
    values[5].reshape(-1)[-1] += 1  # the last number alone
    assert len(set(keys_of(batch, spec.name))) == 12


def test_padding_is_told_from_values_of_zero():
    batch = random_batch(SPECS[:1], TargetSpec("binary"), 2)
    batch.inputs["speech"][:] = 0
    batch.lengths["speech"][:] = 2, 3
    assert len(set(keys_of(batch, "speech"))) == 2


def test_what_is_absent_has_a_key_of_its_own():
    batch = random_batch(SPECS[1:2], TargetSpec("binary"), 3)
    batch.inputs["table"][:] = 0
    batch.present["table"][1] = False
    keys = keys_of(batch, "table")
    assert keys[1] == ABSENT != keys[0] == keys[2]


@given(KEYS)
def test_every_example_is_the_first_of_its_kind_or_repeated(keys):
    firsts = sum(key not in keys[:place] for place, key in enumerate(keys))
    assert repeated(keys) == pytest.approx(1 - firsts / len(keys))
    assert shared(keys, keys) == 1 and shared(keys, []) == 0


def test_the_absent_is_shared_with_nobody():
    assert shared([ABSENT, b"a", b"b"], [ABSENT, b"a"]) == 0.5
    assert shared([ABSENT], [ABSENT]) == 0


@given(KEYS, st.integers(0, 2**32 - 1))
def test_contradictions_are_pairs_of_one_input_and_two_targets(keys, seed):
    target = np.random.default_rng(seed).integers(0, 2, (len(keys), 2))
    pairs = [(key, tuple(row)) for key, row in zip(keys, target.tolist(), strict=True)]
    expected = [any(key == k and row != r for k, r in pairs) for key, row in pairs]
    assert contradicted(keys, target, keys, target) == pytest.approx(np.mean(expected))


def test_an_example_of_test_is_contradicted_by_train_alone():
    target = np.array([0, 1])
    assert contradicted([b"a", b"a"], target, [b"b"], target[:1]) == 0
    assert contradicted([b"a", b"a"], target, [b"a"], target[:1]) == 0.5
