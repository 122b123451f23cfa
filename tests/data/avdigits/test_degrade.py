"""Noise lies at the ratio that was drawn, and images keep the energy they should."""

import numpy as np
import pytest

from mmjax.data.avdigits import degrade
from mmjax.data.avdigits.raw import Noises
from mmjax.errors import InputError


def test_signal_to_noise_ratio_is_the_one_asked_for():
    """10 log10(P_speech / P_noise) in float32: relative errors of 1e-6 are 5e-6 dB, asked for to 1e-3."""
    generator = np.random.default_rng(0)
    lengths = np.array([200, 1000, 400])
    speech = np.where(np.arange(1000) < lengths[:, None], generator.normal(size=(3, 1000)), 0).astype(np.float32)
    noise = generator.normal(scale=[[0.01], [1.0], [7.0]], size=(3, 1000)).astype(np.float32)
    snr = np.array([-10.0, -3.0, 0.0], np.float32)
    added = (degrade.add_noise(speech, lengths, noise, snr) - speech).astype(np.float64)
    ratio = [
        np.mean(s[:n].astype(np.float64) ** 2) / np.mean(a**2) for s, n, a in zip(speech, lengths, added, strict=True)
    ]
    np.testing.assert_allclose(10 * np.log10(ratio), snr, atol=1e-3)


def test_silent_noise_adds_nothing():
    speech = np.ones((1, 10), np.float32)
    heard = degrade.add_noise(speech, np.array([10]), np.zeros((1, 10), np.float32), np.array([-5.0], np.float32))
    np.testing.assert_array_equal(heard, speech)


def noises(last_fold=5):
    folds = np.repeat(np.arange(1, last_fold + 1), 4)
    return Noises([f"{fold}-clip" for fold in folds], folds, np.zeros((len(folds), 50), np.int16))


def test_folds_never_cross_splits():
    folds = noises().folds
    heard = {split: set(folds[degrade.draw_noise(noises(), 500, 20, split)[0]]) for split in degrade.FOLDS}
    assert heard == {"train": {1, 2, 3}, "validation": {4}, "test": {5}}


def test_noise_starts_inside_its_clip_and_ratios_are_drawn_evenly():
    """The mean of 4,000 draws from U(-10, 0) is -5 to within 4 x 10 / sqrt(12 x 4000) = .18."""
    _, starts, snr = degrade.draw_noise(noises(), 4000, 20, "train")
    assert (starts.min(), starts.max()) == (0, 30)
    assert -10 <= snr.min() and snr.max() <= 0
    assert abs(snr.mean() + 5) < 0.18


def test_a_missing_fold_is_named():
    with pytest.raises(InputError, match="no clip of fold 5"):
        degrade.draw_noise(noises(last_fold=4), 3, 20, "test")


def test_images_keep_the_fewest_components_with_a_quarter_of_the_variance():
    images = np.random.default_rng(0).normal(scale=np.linspace(1, 3, 30), size=(4000, 30)).astype(np.float32)
    kept = degrade.fit_energy(images)
    variances = np.sort(np.linalg.eigvalsh(np.cov(images.T.astype(np.float64))))[::-1]
    share = np.cumsum(variances) / variances.sum()
    fewest = int(np.argmax(share > degrade.ENERGY)) + 1
    assert kept.n_components_ == fewest
    reduced = degrade.reduce_energy(kept, images)
    # float32 products of 30 terms: 1e-5 is their rounding, and far below a component's share.
    assert reduced.var(axis=0).sum() / images.var(axis=0).sum() == pytest.approx(share[fewest - 1], abs=1e-5)
    np.testing.assert_allclose(degrade.reduce_energy(kept, reduced), reduced, atol=1e-4)
