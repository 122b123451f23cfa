"""Making each modality hard: an image that keeps a quarter of its energy, speech under louder noise."""

import numpy as np

from mmjax.data.avdigits.raw import Noises
from mmjax.errors import InputError

SEED = 1
ENERGY = 0.25  # share of the images' variance that is kept
SNR = (-10.0, 0.0)  # decibels, drawn evenly
FOLDS = {"train": (1, 2, 3), "validation": (4,), "test": (5,)}


def fit_energy(images: np.ndarray):
    """Principal components of train images [n, 784]: the fewest that keep ENERGY of the variance."""
    from sklearn.decomposition import PCA

    return PCA(n_components=ENERGY, svd_solver="covariance_eigh").fit(images)


def reduce_energy(components, images: np.ndarray) -> np.ndarray:
    """Images [n, 784] projected on the fitted components, float32."""
    return components.inverse_transform(components.transform(images)).astype(np.float32)


def draw_noise(noises: Noises, n: int, samples: int, split: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each of n examples a clip of the split's folds, where it starts, and the SNR in decibels.

    Raises:
      InputError: if the split's folds hold no clip.
    """
    generator = np.random.default_rng([SEED, list(FOLDS).index(split)])
    pool = np.flatnonzero(np.isin(noises.folds, FOLDS[split]))
    if not len(pool):
        raise InputError(f"the noise file has no clip of fold {', '.join(map(str, FOLDS[split]))}; get it again")
    clips = generator.choice(pool, n)
    starts = generator.integers(0, noises.waves.shape[1] - samples, n, endpoint=True)
    return clips, starts, generator.uniform(*SNR, n).astype(np.float32)


def add_noise(speech: np.ndarray, lengths: np.ndarray, noise: np.ndarray, snr: np.ndarray) -> np.ndarray:
    """Speech [n, samples] plus noise, scaled so that 10 log10(P_speech / P_noise) = snr.

    P_speech is the mean square over the speech's own length, not over the silence around it.
    """
    speech_power = (speech**2).sum(axis=1) / lengths
    noise_power = np.maximum((noise**2).mean(axis=1), np.finfo(np.float32).tiny)
    gain = np.sqrt(speech_power / noise_power * 10 ** (-snr / 10))
    return speech + gain[:, None] * noise
