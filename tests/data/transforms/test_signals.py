"""Images, sounds, videos, sequences and points, worked by hand or against libraries."""

import numpy as np
import pytest

from mmjax.data.transforms.audio import LogMel, Loudest, Mfcc, Resample
from mmjax.data.transforms.contract import Column
from mmjax.data.transforms.image import Grayscale, Normalise, Resize
from mmjax.data.transforms.points import NormalisePoints, VoxelSubsample
from mmjax.data.transforms.series import Centre, Differences, Resteps, Returns, Stretches, Window
from mmjax.data.transforms.video import SampleFrames
from mmjax.errors import InputError


def column(values, lengths=None, rate=0.0):
    values = np.asarray(values)
    lengths = None if lengths is None else np.array(lengths, np.int32)
    return Column(values, np.ones(len(values), bool), lengths, rate=rate)


def made(step, values, lengths=None, rate=0.0):
    train = column(values, lengths, rate)
    return step.apply(step.fit(train), train)


def test_bytes_become_0_to_1_and_channels_even():
    images = np.zeros((2, 1, 2, 2), np.uint8)
    images[1, ..., 0], images[..., 1] = 255, 51
    np.testing.assert_allclose(made(Normalise(), images).values[1, 0, 0], [1, 0.2])
    even = made(Normalise("standard"), images).values
    np.testing.assert_allclose(even[..., 0].mean(), 0, atol=1e-6)
    np.testing.assert_allclose(even[..., 0].std(), 1, rtol=1e-6)
    assert not even[..., 1].any()  # a constant channel is only moved


def test_resizing_keeps_what_is_flat_and_bytes():
    images = np.full((3, 8, 6, 3), 77, np.uint8)
    small = made(Resize(4, 5), images).values
    assert small.dtype == np.uint8 and small.shape == (3, 4, 5, 3) and (small == 77).all()
    video = made(Resize(4, 3), images[None]).values
    np.testing.assert_array_equal(video[0], made(Resize(4, 3), images).values)


def test_brightness_of_the_three_colours():
    colours = np.eye(3).reshape(3, 1, 1, 3)
    np.testing.assert_allclose(made(Grayscale(), colours).values.ravel(), [0.299, 0.587, 0.114])
    white = np.full((1, 1, 1, 3), 255, np.uint8)
    assert made(Grayscale(), white).values.ravel() == [255]


def test_a_tone_is_the_same_tone_at_another_rate():
    """Away from the ends, where the filter has seen enough."""
    times = np.arange(2000) / 2000
    tone = np.sin(2 * np.pi * 50 * times)[None]
    slow = made(Resample(1000), tone, [2000], rate=2000.0)
    assert slow.rate == 1000 and slow.values.shape == (1, 1000) and slow.lengths == [1000]
    expected = np.sin(2 * np.pi * 50 * np.arange(1000) / 1000)
    assert np.abs(slow.values[0] - expected)[50:-50].max() < 1e-2  # the ripple of SciPy's default filter is below 1%


def test_the_loudest_stretch():
    wave = np.zeros((2, 10), np.float32)
    wave[0, 6:8], wave[1, 1] = 1, 1
    kept = made(Loudest(seconds=0.3), wave, [10, 2], rate=10.0)
    assert kept.values.shape == (2, 3) and kept.values[0].sum() == 2 and list(kept.lengths) == [3, 2]


def test_log_mel_is_that_of_the_encoder():
    from mmjax.layers.spectrogram import log_mel, mel_filters

    wave = np.random.default_rng(0).normal(size=(2, 400)).astype(np.float32)
    mel = made(LogMel(bands=8), wave, [400, 100], rate=1000.0)
    expected = np.asarray(log_mel(wave, mel_filters(1000.0, 64, 8), 32))
    np.testing.assert_allclose(mel.values, expected, rtol=1e-4, atol=1e-4)  # float32 spectra, two libraries
    assert list(mel.lengths) == [11, 2] and mel.rate == 0
    with pytest.raises(InputError, match="LogMel: a frame of 0 samples"):
        made(LogMel(frame_seconds=0.0001), wave, rate=1000.0)


def test_cepstral_coefficients_are_an_orthonormal_turn_of_the_bands():
    wave = np.random.default_rng(0).normal(size=(2, 400)).astype(np.float32)
    mel, mfcc = (made(step, wave, rate=1000.0).values for step in (LogMel(bands=8), Mfcc(coefficients=8, bands=8)))
    np.testing.assert_allclose((mfcc**2).sum(axis=2), (mel**2).sum(axis=2), rtol=1e-4)
    np.testing.assert_allclose(mfcc[..., 0], mel.sum(axis=2) / np.sqrt(8), rtol=1e-4)


def test_frames_from_the_middles_of_stretches():
    video = np.arange(8.0).reshape(1, 8, 1, 1, 1)
    assert made(SampleFrames(2), video).values.ravel().tolist() == [2, 6]
    assert made(SampleFrames(3), video, [2]).values.ravel().tolist() == [0, 1, 1]


def test_steps_between_steps():
    values = np.array([[0.0, 1, 2, 9]])[..., None]
    assert made(Resteps(5), values, [3]).values.ravel().tolist() == [0, 0.5, 1, 1.5, 2]
    assert made(Resteps(2), values, [1]).values.ravel().tolist() == [0, 0]


def test_stretches_tell_the_mean_and_the_deviation_of_their_steps():
    values = np.array([[0.0, 2, 4, 8, 5, 9], [7, 7, 7, 1, np.nan, 1]])[..., None]
    assert made(Stretches(2), values, [4, 1]).values.tolist() == [[[1, 1], [6, 2]], [[7, 0], [7, 0]]]
    assert made(Stretches(1), values[:1]).values == pytest.approx(np.array([[[14 / 3, values[0].std()]]]), rel=1e-6)


def test_stretches_share_the_steps_of_a_shorter_sequence_and_are_0_of_none():
    values = np.arange(1.0, 5).reshape(1, 4, 1)
    assert made(Stretches(3), values, [2]).values[..., 0].tolist() == [[1, 1, 2]]
    assert not made(Stretches(3), values, [0]).values.any()


def test_deviations_far_from_0_lose_no_digits():
    values = (1e4 + np.random.default_rng(0).normal(size=(3, 40, 2))).astype(np.float32)
    mean, deviation = np.split(made(Stretches(5), values).values, 2, axis=2)
    parts = values.astype(float).reshape(3, 5, 8, 2)
    np.testing.assert_allclose(mean, parts.mean(axis=2), rtol=2e-7)  # float32 holds 1e4 to 6e-8 of it
    np.testing.assert_allclose(deviation, parts.std(axis=2), rtol=1e-6)


@pytest.mark.parametrize(("keep", "kept"), [("last", [[3, 4], [1, 2]]), ("first", [[1, 2], [1, 2]])])
def test_windows(keep, kept):
    values = np.array([[1.0, 2, 3, 4], [1, 2, 9, 9]])[..., None]
    window = made(Window(2, keep), values, [4, 2])
    assert window.values[..., 0].tolist() == kept and list(window.lengths) == [2, 2]
    short = made(Window(3, keep), values, [4, 1])
    assert short.values.shape == (2, 3, 1) and list(short.lengths) == [3, 1]


def test_returns_and_differences_lose_a_step():
    prices = np.array([[1.0, 2, 1], [4, 7, 7]])[..., None]
    simple = made(Returns("simple"), prices, [3, 1])
    assert simple.values[..., 0].tolist() == [[1, -0.5], [0, 0]] and list(simple.lengths) == [2, 1]
    np.testing.assert_allclose(made(Returns(), prices).values[0, :, 0], np.log([2, 0.5]), rtol=1e-6)
    assert made(Differences(), prices).values[..., 0].tolist() == [[1, -1], [3, 0]]
    assert made(Differences(), prices[:, :1]).values.tolist() == [[[0]], [[0]]]


def test_a_skeleton_begins_with_its_joint_at_0():
    values = np.arange(12.0).reshape(1, 2, 6)
    centred = made(Centre(joint=1, scale=2.0), values).values
    assert centred[0, 0].tolist() == [-6, -6, -6, 0, 0, 0] and centred[0, 1].tolist() == [6, 6, 6, 12, 12, 12]


def test_points_of_a_cube_are_their_mean():
    points = np.array([[[0.1, 0, 0, 1], [0.3, 0, 0, 3], [5, 5, 5, 7], [9, 9, 9, 9]]])
    voxels = made(VoxelSubsample(1.0), points, [3])
    np.testing.assert_allclose(voxels.values, [[[0.2, 0, 0, 2], [5, 5, 5, 7]]], rtol=1e-6)
    fullest = made(VoxelSubsample(1.0, points=1), points, [3])
    np.testing.assert_allclose(fullest.values, [[[0.2, 0, 0, 2]]], rtol=1e-6)


def test_points_are_of_unit_size_about_0():
    points = np.array([[[1.0, 1, 1, 5], [3, 1, 1, 6]], [[2, 2, 2, 7], [0, 0, 0, 0]]])
    unit = made(NormalisePoints(), points, [2, 1]).values
    assert unit[0].tolist() == [[-1, 0, 0, 5], [1, 0, 0, 6]] and unit[1, 0].tolist() == [0, 0, 0, 7]
