"""What augmentation changes and what it leaves; training with it is the same on any number of devices."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from small_tasks import SPECS as SMALL_SPECS
from small_tasks import small_task

from mmjax import config
from mmjax.errors import InputError
from mmjax.training.augment import AUGMENTATIONS, MASKED, SHIFT, augmentation_of
from mmjax.training.loop import train_cell
from mmjax.training.parallel import Placement
from mmjax.types import Batch, ModalitySpec

B = 64
SPECS = (
    ModalitySpec("photo", "image", (16, 8, 3)),
    ModalitySpec("film", "video", (3, 16, 8, 1)),
    ModalitySpec("sound", "sequence", (24, 16)),
    ModalitySpec("table", "vector", (4,)),
)
PICTURE_AND_SPEECH = (SMALL_SPECS[2], SMALL_SPECS[0])
LENGTHS = 8 + np.arange(B) % 17


@pytest.fixture(scope="module")
def batch():
    generator = np.random.default_rng(0)
    inputs = {spec.name: generator.normal(size=(B, *spec.shape)).astype(np.float32) for spec in SPECS}
    lengths = {"film": np.full(B, 3, np.int32), "sound": LENGTHS.astype(np.int32)}
    return Batch(inputs, lengths, {spec.name: np.ones(B, bool) for spec in SPECS}, np.zeros(B), np.ones(B, np.float32))


def changed(names, batch, seed=0):
    keys = jax.vmap(jax.random.fold_in, (None, 0))(jax.random.key(seed), jnp.arange(len(batch.weight)))
    return jax.jit(augmentation_of(names, SPECS))(batch, keys)


def test_names_are_those_of_the_config():
    assert tuple(AUGMENTATIONS) == config.AUGMENTATIONS
    with pytest.raises(InputError, match="augment = 'blur'.*crop, flip, colour, mask"):
        config.DEFAULTS.replace(augment="blur")


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_it_changes_its_kinds_and_no_other(name, batch):
    after = changed(name, batch)
    for spec in SPECS:
        same = np.array_equal(after.inputs[spec.name], batch.inputs[spec.name])
        assert same == (spec.kind not in AUGMENTATIONS[name][0])
    for field in ("lengths", "present", "target", "weight"):
        jax.tree.map(np.testing.assert_array_equal, getattr(after, field), getattr(batch, field))


def test_without_a_modality_of_its_kinds_there_is_nothing_to_do():
    assert augmentation_of("", SPECS) is None and augmentation_of("flip,mask", SPECS[3:]) is None


def test_an_example_is_no_affair_of_the_others(batch):
    whole = changed("crop,flip,colour,mask", batch)
    some = jax.tree.map(lambda x: x[:5], batch)
    for name, values in changed("crop,flip,colour,mask", some).inputs.items():
        # Means of an example add up in another order in a program of another size.
        np.testing.assert_allclose(values, whole.inputs[name][:5], rtol=1e-5, atol=1e-6)


def test_a_flip_is_one_of_two(batch):
    after = np.asarray(changed("flip", batch).inputs["film"])
    before = batch.inputs["film"]
    flipped = (after == before[:, :, :, ::-1]).all(axis=(1, 2, 3, 4))
    assert (flipped | (after == before).all(axis=(1, 2, 3, 4))).all() and 0 < flipped.sum() < B


def test_a_crop_is_a_shift_of_all_frames_alike(batch):
    after, before = np.asarray(changed("crop", batch).inputs["film"]), batch.inputs["film"]
    down, across = 16 // SHIFT, 8 // SHIFT
    padded = np.pad(before, [(0, 0), (0, 0), (down, down), (across, across), (0, 0)], mode="edge")
    found = np.zeros(B, bool)
    corners = [(y, x) for y in range(2 * down + 1) for x in range(2 * across + 1)]
    for y, x in corners:
        found |= (after == padded[:, :, y : y + 16, x : x + 8]).all(axis=(1, 2, 3, 4))
    assert found.all()


def test_colour_is_one_line_from_old_to_new_values(batch):
    after, before = np.asarray(changed("colour", batch).inputs["photo"]), batch.inputs["photo"]
    for new, old in zip(after[:8], before[:8], strict=True):
        slope, shift = np.polyfit(old.ravel(), new.ravel(), 1)
        np.testing.assert_allclose(new, slope * old + shift, atol=1e-5)  # values of some units in float32
        assert 0.8 <= slope <= 1.2


def test_masks_are_a_stretch_and_a_band_within_the_length(batch):
    after, before = np.asarray(changed("mask", batch).inputs["sound"]), batch.inputs["sound"]
    for new, old, length in zip(after, before, LENGTHS, strict=True):
        hidden = new != old
        assert not hidden[length:].any()
        np.testing.assert_allclose(new[hidden], old[:length].mean(), atol=1e-6)
        stretch, band = hidden[:length].all(axis=1), hidden[:length].all(axis=0)
        np.testing.assert_array_equal(hidden[:length], stretch[:, None] | band)
        assert stretch.sum() <= length // MASKED and band.sum() <= 16 // MASKED
        assert all((np.diff(np.flatnonzero(each)) == 1).all() for each in (stretch, band))
    assert (after != before).any()


def test_training_with_it_is_the_same_on_any_number_of_devices():
    task = small_task(PICTURE_AND_SPEECH, sizes=(32, 8, 8))
    small = config.DEFAULTS.replace(width=8, channels=4, batch_size=16, epochs=2, encoder_layers=1)
    augmented = small.replace(augment="crop,flip,mask")
    one = train_cell(task, "concat", "joint", augmented, (0,)).runs[0].logits["test"]
    four = train_cell(task, "concat", "joint", augmented, (0,), Placement(4, split="batch")).runs[0].logits["test"]
    plain = train_cell(task, "concat", "joint", small, (0,)).runs[0].logits["test"]
    np.testing.assert_allclose(one, four, rtol=1e-3, atol=1e-4)  # sums over devices round in another order
    assert not np.allclose(one, plain, rtol=1e-3, atol=1e-4)
