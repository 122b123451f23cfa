"""Corruptions: nothing at level 0, worse level by level, blind to what is not there, and pure."""

import numpy as np
import pytest
from small_tasks import random_batch

from mmjax.data.corruptions import ANY, CORRUPTIONS, corrupt, corruptions_of, spread_of
from mmjax.data.corruptions.contract import LEVELS
from mmjax.data.corruptions.tokens import typo_text
from mmjax.errors import InputError
from mmjax.types import ModalitySpec, TargetSpec

SPECS = (
    ModalitySpec("scan", "image", (12, 10, 2)),
    ModalitySpec("film", "video", (4, 8, 8, 1)),
    ModalitySpec("sound", "waveform", (400,), rate=400.0),
    ModalitySpec("words", "tokens", (12,), vocabulary=50),
    ModalitySpec("gait", "sequence", (15, 3)),
    ModalitySpec("table", "vector", (20,)),
    ModalitySpec("cloud", "points", (15, 3)),
)
CASES = [(spec, name) for spec in SPECS for name in corruptions_of(spec)]
every_case = pytest.mark.parametrize("spec, name", CASES, ids=lambda each: getattr(each, "kind", each))


def batch_of(spec, missing=True):
    return random_batch((spec, ModalitySpec("other", "vector", (3,))), TargetSpec("binary"), 60, missing=missing)


# What moves or mixes values is farther from them level by level on average, not in every draw: 2% are let pass.
NEARLY = ("rotation", "blur", "misaligned", "dropped_steps", "drop", "reverberation", "occlusion")


def distance(spec, before, after):
    """How much is another than it was: changed values, missing ones and lost steps."""
    found = np.abs(after.inputs[spec.name].astype(float) - before.inputs[spec.name]).mean()
    lost = (before.present[spec.name] != after.present[spec.name]).mean()
    shorter = np.abs(before.lengths[spec.name] - after.lengths[spec.name]).mean() if spec.has_length else 0
    return found + lost + shorter


@every_case
def test_level_0_changes_nothing(spec, name):
    batch = batch_of(spec)
    assert corrupt(batch, spec, name, 0, seed=0) is batch


@every_case
def test_levels_get_worse(spec, name):
    """By the distance from what was; words that change places, or become others, count where they differ."""
    batch = batch_of(spec)
    spread = None if spec.kind == "tokens" else spread_of(batch, spec)
    levels = [corrupt(batch, spec, name, level, 3, spread) for level in range(LEVELS)]
    if name in ("swap", "typos", "permuted", "misaligned"):
        found = [np.mean(each.inputs[spec.name] != batch.inputs[spec.name]) for each in levels]
    else:
        found = [distance(spec, batch, each) for each in levels]
    assert found[0] == 0 and found[10] > 0
    slack = 0.02 * max(found) if name in NEARLY else 1e-9
    assert all(later >= earlier - slack for earlier, later in zip(found, found[1:], strict=False)), found


@every_case
def test_shapes_types_and_everything_else_stay(spec, name):
    batch = batch_of(spec)
    after = corrupt(batch, spec, name, 7, 1)
    values = after.inputs[spec.name]
    assert values.shape == batch.inputs[spec.name].shape and values.dtype == batch.inputs[spec.name].dtype
    assert after.inputs["other"] is batch.inputs["other"] and after.target is batch.target
    if spec.has_length:
        lengths = after.lengths[spec.name]
        assert lengths.dtype == np.int32 and ((lengths > 0) | ~after.present[spec.name]).all()
        assert not values[np.arange(spec.shape[0]) >= lengths[:, None]].any()
    if spec.kind == "tokens":
        inside = np.arange(spec.shape[0]) < after.lengths[spec.name][:, None]
        assert values.max() < spec.vocabulary and (values[inside] > 0).all()


@every_case
def test_absent_examples_are_neither_changed_nor_read(spec, name):
    batch = batch_of(spec)
    batch = batch._replace(
        lengths={n: np.where(batch.present[n], v, 0).astype(np.int32) for n, v in batch.lengths.items()}
    )
    gone = ~batch.present[spec.name]
    assert gone.any()
    other = batch.inputs[spec.name].copy()
    other[gone] = 0
    zeroed = batch._replace(inputs={**batch.inputs, spec.name: other})
    other = other.copy()
    other[gone] = 7 if spec.kind == "tokens" else np.nan
    strange = batch._replace(inputs={**batch.inputs, spec.name: other})
    first, second = (corrupt(each, spec, name, 6, 2) for each in (zeroed, strange))
    there = first.present[spec.name]
    np.testing.assert_array_equal(there, second.present[spec.name])
    np.testing.assert_array_equal(first.inputs[spec.name][there], second.inputs[spec.name][there])


@every_case
def test_a_seed_says_it_all(spec, name):
    batch = batch_of(spec)
    first, same = (corrupt(batch, spec, name, 5, seed=4) for _ in range(2))
    np.testing.assert_array_equal(first.inputs[spec.name], same.inputs[spec.name])


@pytest.mark.parametrize("level, share", [(1, 0.1), (5, 0.5), (10, 1.0)])
def test_levels_of_pairs_are_shares_of_the_examples(level, share):
    """Drawn one by one: three deviations of a share of 2,000 are at most 0.034; misaligned ones are counted out."""
    spec = SPECS[5]
    batch = random_batch((spec,), TargetSpec("binary"), 2000)
    lost = ~corrupt(batch, spec, "missing", level, 0).present[spec.name]
    assert lost.mean() == pytest.approx(share, abs=0.034)
    moved = (corrupt(batch, spec, "misaligned", level, 0).inputs[spec.name] != batch.inputs[spec.name]).all(axis=1)
    assert moved.mean() == pytest.approx(share, abs=1e-9)


def test_noise_has_the_decibels_that_are_asked_for():
    """Level 10 is -12 dB; the power of 400 samples of noise varies by a fourteenth, of 60 recordings by less."""
    spec = SPECS[2]
    batch = batch_of(spec, missing=False)
    added = corrupt(batch, spec, "noise", 10, 0).inputs["sound"] - batch.inputs["sound"]
    ratio = (batch.inputs["sound"].astype(float) ** 2).sum() / (added.astype(float) ** 2).sum()
    assert 10 * np.log10(ratio) == pytest.approx(-12, abs=0.5)


def test_strings_are_mistyped_letter_by_letter():
    strings = np.array(["the quick brown fox 12!", ""], object)
    assert list(typo_text(strings, 0, 0)) == list(strings)
    changed = [
        sum(a != b for a, b in zip(typo_text(strings, level, 0)[0], strings[0], strict=True)) for level in range(LEVELS)
    ]
    assert changed == sorted(changed) and changed[10] > 0
    assert typo_text(strings, 10, 0)[0].endswith(" 12!") and typo_text(strings, 10, 0)[1] == ""


def test_what_is_unknown_is_refused():
    batch = batch_of(SPECS[0])
    with pytest.raises(InputError, match="did you mean 'blur'"):
        corrupt(batch, SPECS[0], "blurr", 1, 0)
    with pytest.raises(InputError, match="0 to 10"):
        corrupt(batch, SPECS[0], "blur", 11, 0)


def test_every_kind_has_its_own_and_the_common_ones():
    for spec in SPECS:
        assert corruptions_of(spec) == [*CORRUPTIONS[spec.kind], *ANY] and len(CORRUPTIONS[spec.kind]) >= 2
