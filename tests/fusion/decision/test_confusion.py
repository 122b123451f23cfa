"""The rule by confusions, against loops in NumPy."""

import jax
import numpy as np
import pytest

from mmjax.fusion import Confusion

pytestmark = pytest.mark.usefixtures("float64")


@pytest.mark.parametrize("modalities", [2, 3, 6])
def test_equation(modalities):
    """Counts of validation in which the modality is present, and the product of their rows' entries."""
    rng, size, classes = np.random.default_rng(modalities), 40, 3
    names = [f"m{i}" for i in range(modalities)]
    logits = {name: rng.normal(size=(size, classes)) for name in names}
    present = {name: rng.random(size) > 0.3 for name in names}
    truth = rng.integers(0, 2, size)  # class 2 is never
    scores = np.empty((size, classes))
    for row in range(size):
        for k in range(classes):
            scores[row, k] = (np.sum(truth == k) + 1) / (size + classes)
            for name in names:
                if present[name][row]:
                    of_class = present[name] & (truth == k)
                    same = np.sum(of_class & (logits[name].argmax(1) == logits[name][row].argmax()))
                    scores[row, k] *= (same + 1) / (of_class.sum() + classes)
    fitted = Confusion().fit(logits, present, truth)
    fused = Confusion().apply({"params": fitted}, logits, present)
    # The logarithms are kept in float32: 6e-8 of a sum of seven of order 4.
    np.testing.assert_allclose(fused, np.log(scores / scores.sum(1, keepdims=True)), atol=5e-6)


def test_known_confusions_are_recovered():
    """A share of n_k draws has standard deviation sqrt(c (1 - c) / n_k), and the counts' 1 moves it by 2 / n_k."""
    rng, size = np.random.default_rng(0), 6000
    known = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4]])
    truth = rng.integers(0, 3, size)
    decided = (known[truth].cumsum(1) < rng.random((size, 1))).sum(1)
    fitted = Confusion().fit({"m": np.eye(3)[decided]}, {"m": np.ones(size, bool)}, truth)
    counts = np.bincount(truth)[:, None]
    deviation = np.sqrt(known * (1 - known) / counts)
    assert (np.abs(np.exp(fitted["log_confusion"][0]) - known) < 4 * deviation + 2 / counts).all()


def test_unfitted_it_says_nothing(logits):
    fused = Confusion().apply(Confusion().init(jax.random.key(0), logits), logits)
    np.testing.assert_allclose(fused, -np.log(4), rtol=1e-12)
