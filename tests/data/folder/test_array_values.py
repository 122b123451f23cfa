"""Arrays judged before they are taken: full scale of samples, order of axes, depth of pixels."""

import numpy as np
import pytest

from mmjax.data.folder.array_values import modality_of_array
from mmjax.data.folder.schema import ModalityPart, Reference
from mmjax.data.transforms.preprocessing import fit
from mmjax.data.transforms.raw_form import OWN, RawForm
from mmjax.errors import InputError

HALF = np.tile([0.5, -0.5], (3, 8))  # [3, 16], exact in every type


def read(kind, values, form=None, lengths=None, **settings):
    part = ModalityPart("it", kind, Reference(1, ""), None, **settings)
    return modality_of_array(part, "data.npz: it", values, lengths, form)


@pytest.mark.parametrize(
    "samples",
    [HALF, HALF.astype(np.float32), (HALF * 2**15).astype(np.int16), (HALF * 2**31).astype(np.int32),
     (HALF * 2**7).astype(np.int8), (HALF * 2**7 + 2**7).astype(np.uint8), (HALF * 2**15 + 2**15).astype(np.uint16)],
    ids=lambda samples: samples.dtype.name,
)  # fmt: skip
def test_samples_of_any_type_are_in_full_scale(samples):
    raw = read("waveform", samples, rate=100)
    np.testing.assert_array_equal(raw.column.values, HALF)
    assert not raw.warnings


def test_samples_without_a_full_scale_are_refused_or_told():
    with pytest.raises(InputError, match="int64, which says no full scale"):
        read("waveform", (HALF * 2**15).astype(np.int64), rate=100)
    raw = read("waveform", HALF * 2**15, rate=100)
    assert raw.form.units == OWN and "reach 16384" in raw.warnings[0]
    with pytest.raises(InputError, match="trained on floats beyond"):
        read("waveform", (HALF * 2**15).astype(np.int16), raw.form, rate=100)


def test_new_samples_in_other_units_than_those_of_training_are_refused():
    form = read("waveform", HALF, rate=100).form
    assert read("waveform", HALF * 3, form, rate=100).column.values.max() == 1.5  # louder, and the same units
    with pytest.raises(InputError, match="reaches 16384, and the run was trained on sound in"):
        read("waveform", HALF * 2**15, form, rate=100)


def test_lengths_of_sound_are_kept():
    column = read("waveform", HALF, rate=100, lengths=np.array([8, 3, 0])).column
    assert column.lengths.tolist() == [8, 3, 0] and column.present.tolist() == [True, True, False]


@pytest.mark.parametrize(
    ("kind", "shape", "seen"),
    [("image", (2, 3, 8, 9), (2, 8, 9, 3)), ("image", (2, 1, 28, 28), (2, 28, 28, 1)),
     ("image", (2, 4, 8, 8), (2, 8, 8, 4)), ("image", (2, 2, 8, 8), (2, 8, 8, 2)),
     ("image", (2, 8, 9, 3), (2, 8, 9, 3)), ("image", (2, 8, 2, 4), (2, 8, 2, 4)),
     ("video", (2, 5, 3, 8, 9), (2, 5, 8, 9, 3)), ("video", (2, 5, 8, 9, 3), (2, 5, 8, 9, 3))],
)  # fmt: skip
def test_channels_that_come_first_are_put_last_and_told(kind, shape, seen):
    values = np.random.default_rng(0).integers(0, 255, shape).astype(np.uint8)
    raw = read(kind, values)
    assert raw.column.values.shape == seen
    assert bool(raw.warnings) == (shape != seen) and (not raw.warnings or "channels: first" in raw.warnings[0])
    if shape != seen:
        np.testing.assert_array_equal(raw.column.values, np.moveaxis(values, -3, -1))
        assert read(kind, values, channels="last").column.values.shape == shape
    assert not read(kind, values, raw.form).warnings  # as in training, and no more said of it


@pytest.mark.parametrize("shape", [(2, 3, 3, 3), (2, 1, 9, 3), (2, 3, 8, 4), (2, 4, 8, 1), (2, 8, 9, 7)])
def test_channels_that_may_be_first_or_last_are_told(shape):
    values = np.zeros(shape, np.uint8)
    raw = read("image", values)
    assert raw.column.values.shape == shape
    assert "`channels: last` says so, `channels: first` says otherwise" in raw.warnings[0]
    for channels in ("first", "last"):
        assert not read("image", values, channels=channels).warnings


@pytest.mark.parametrize(
    ("dtype", "most", "largest"),
    [("uint8", 200, 255), ("uint16", 200, 255), ("uint16", 4000, 4095), ("uint16", 60000, 65535)],
)
def test_pixels_become_0_to_1_by_the_depth_that_train_uses(dtype, most, largest):
    values = np.linspace(0, most, 2 * 4 * 5).astype(dtype).reshape(2, 4, 5)
    raw = read("image", values)
    ready = fit("it", "image", raw.steps, raw.column, raw.form).apply(raw.column)
    np.testing.assert_allclose(ready.values[..., 0], values / largest, rtol=1e-6)


def test_seconds_since_1970_are_told_apart():
    """Float32 keeps 128 s of them; the steps centre them before they are narrowed."""
    seconds = 1.7e9 + np.arange(6.0)
    for kind, values in (("vector", seconds[:, None]), ("sequence", seconds.reshape(2, 3, 1))):
        raw = read(kind, values)
        ready = fit("it", kind, raw.steps, raw.column, raw.form).apply(raw.column)
        np.testing.assert_allclose(ready.values.ravel(), (np.arange(6) - 2.5) / np.arange(6).std(), rtol=1e-5)


def test_what_is_read_is_kept_as_json_takes_it(tmp_path):
    from mmjax.data.transforms import preprocessing

    raw = read("image", np.zeros((2, 3, 8, 9), np.uint8))
    fitted = preprocessing.fit("it", "image", raw.steps, raw.column, raw.form)
    preprocessing.save({"it": fitted}, tmp_path)
    kept = preprocessing.load(tmp_path)["it"].form
    assert kept == fitted.form == RawForm(kind="image", dtype="uint8", shape=(8, 9, 3), channels="first")


@pytest.mark.parametrize("kind, shape", [("vector", (3, 2)), ("sequence", (3, 4, 2)), ("image", (3, 4, 4, 3))])
def test_numbers_beyond_float32_are_refused_by_their_row(kind, shape):
    values = np.ones(shape)
    values[1].flat[1] = -1e300
    with pytest.raises(InputError, match=r"data.npz: it, row 1 holds -1e\+300; .* up to 3.4e\+38"):
        read(kind, values)


def test_ids_are_bounded_before_they_are_cast():
    for odd in (2**24, 2**31 - 1, 2**32 + 3, 2**63):
        with pytest.raises(InputError, match=f"holds the id {odd}; accepted are ids below 16,777,216"):
            read("tokens", np.array([[1, odd]], np.uint64))
    assert read("tokens", np.array([[1, 2**24 - 1]])).column.vocabulary == 2**24


@pytest.mark.parametrize(
    ("samples", "words"), [(np.full((3, 20), 0.5), "silent or constant"), (HALF[:, :1], "1 samples or fewer")]
)
def test_sound_in_which_nothing_is_heard_is_told(samples, words):
    assert words in read("waveform", samples, rate=100).warnings[0]
