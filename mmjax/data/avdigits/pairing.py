"""Which recording goes with which image: the same digit, and never across splits."""

import numpy as np

from mmjax.errors import InputError

SEED = 0
VALIDATION = 0.1  # share of MNIST's train images
# Takes of each speaker and digit, first to last, by split: no recording is in two of them.
TAKES = {"train": (10, 49), "validation": (5, 9), "test": (0, 4)}


def cut(labels: np.ndarray) -> dict[str, np.ndarray]:
    """Rows of MNIST's train images for train and validation, by class and in order."""
    from sklearn.model_selection import train_test_split

    train, validation = train_test_split(
        np.arange(len(labels)), test_size=VALIDATION, stratify=labels, random_state=SEED
    )
    return {"train": np.sort(train), "validation": np.sort(validation)}


def pair(labels: np.ndarray, recording_labels: np.ndarray, takes: np.ndarray, split: str) -> np.ndarray:
    """A recording for each image: of its digit and of the split's takes, each used equally often to within one.

    Args:
      labels: int [n], digits of a split's images.
      recording_labels: int [R], digits of all recordings.
      takes: int [R], takes of all recordings.
      split: one of TAKES.

    Returns:
      int [n], rows of the recordings.

    Raises:
      InputError: if the split has no recording of a digit.
    """
    generator = np.random.default_rng([SEED, list(TAKES).index(split)])
    first, last = TAKES[split]
    allowed = (takes >= first) & (takes <= last)
    chosen = np.empty(len(labels), int)
    for digit in np.unique(labels):
        rows = np.flatnonzero(labels == digit)
        pool = generator.permutation(np.flatnonzero(allowed & (recording_labels == digit)))
        if not len(pool):
            raise InputError(
                f"FSDD's archive has no recording of digit {digit} with takes {first} to {last}; get it again"
            )
        chosen[rows] = generator.permutation(np.resize(pool, len(rows)))
    return chosen
