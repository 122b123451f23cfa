"""New raw values are brought to those of training, or refused."""

import numpy as np
import pytest

from mmjax.data.transforms.audio import LogMel
from mmjax.data.transforms.contract import Column
from mmjax.data.transforms.preprocessing import cut_warnings, fit
from mmjax.data.transforms.raw_form import RawForm, bring
from mmjax.data.transforms.series import Window
from mmjax.errors import InputError


def column(values, **more):
    return Column(np.asarray(values), np.ones(len(values), bool), **more)


def tone(rate, n=1):
    return column(np.tile(np.sin(2 * np.pi * 50 * np.arange(rate) / rate).astype(np.float32), (n, 1)), rate=float(rate))


@pytest.mark.parametrize("rate", [1000, 1600, 4000])
def test_sound_of_another_rate_is_the_same_sound(rate):
    form = RawForm().of_column(tone(2000))
    same = bring(form, "waveform", "it", tone(rate))
    assert same.rate == 2000 and same.values.shape == (1, 2000)
    # The filter rings at the ends.
    np.testing.assert_allclose(same.values[0, 200:-200], tone(2000).values[0, 200:-200], atol=0.01)


def test_the_rate_of_training_outlives_steps_that_make_a_picture_of_sound():
    """A recipe's task too: spectra of a recording at half the rate are those of training."""
    fitted = fit("it", "sequence", (LogMel(bands=4),), tone(2000))
    assert fitted.spec.rate == 0 and fitted.form.rate == 2000
    slow = fitted.apply(bring(fitted.form, "sequence", "it", tone(1000)))
    assert slow.values.shape == fitted.apply(tone(2000)).values.shape


@pytest.mark.parametrize("rate", [0.0, -8.0, np.nan, np.inf])
def test_a_rate_that_is_none_is_refused(rate):
    with pytest.raises(InputError, match="it: rate is"):
        bring(RawForm(rate=8.0), "waveform", "it", column(np.zeros((1, 9)), rate=rate))


@pytest.mark.parametrize(
    ("trained", "given", "accepted"),
    [("uint8", "int64", True), ("uint8", "float32", False), ("uint16", "uint8", True), ("uint8", "bool", False),
     ("float32", "float64", True), ("float64", "uint8", False)],
)  # fmt: skip
def test_pixels_of_another_type_are_the_same_numbers_or_refused(trained, given, accepted):
    form = RawForm(dtype=trained, shape=(2, 3, 1))
    pixels = column(np.ones((1, 2, 3, 1), given))
    if accepted:
        brought = bring(form, "image", "it", pixels).values
        assert brought.dtype.kind == np.dtype(trained).kind and (brought == 1).all()
    else:
        with pytest.raises(InputError, match=f"it holds {given}, and the run was trained on {trained}"):
            bring(form, "image", "it", pixels)


def test_a_pixel_that_the_depth_of_training_cannot_hold_is_refused():
    with pytest.raises(InputError, match="it holds int64"):
        bring(RawForm(dtype="uint8", shape=(1, 1, 1)), "image", "it", column(np.full((1, 1, 1, 1), 256)))


@pytest.mark.parametrize("kind", ["image", "video"])
def test_pictures_of_another_size_are_resized(kind):
    shape = (4, 6, 3) if kind == "image" else (5, 4, 6, 3)
    form = RawForm(dtype="uint8", shape=shape)
    larger = column(np.full((2, *shape[:-3], 8, 9, 3), 7, np.uint8))
    brought = bring(form, kind, "it", larger).values
    assert brought.shape == (2, *shape) and (brought == 7).all()


def test_every_cut_is_told():
    """Of a later split too, whose examples are longer than all of train."""
    fitted = fit("gait", "sequence", (Window(),), column(np.ones((4, 5, 2))))
    long = column(np.ones((3, 9, 2)), lengths=np.array([9, 7, 5], np.int32))
    told = list(cut_warnings({"gait": {"train": fitted.apply(column(np.ones((4, 5, 2)))), "test": fitted.apply(long)}}))
    assert told == ["gait: examples longer than 5 are cut, by 4 at most: 2 of 3 in test"]
    asked = fit("gait", "sequence", (Window(steps=2),), column(np.ones((4, 5, 2))))
    assert not list(cut_warnings({"gait": {"train": asked.apply(long)}}))  # whoever asks for two steps knows
