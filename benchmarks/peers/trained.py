"""What every peer gives back."""

import dataclasses
import statistics
from collections.abc import Callable, Sequence

import numpy as np


@dataclasses.dataclass(frozen=True)
class Trained:
    """A model that a peer has trained.

    Attributes:
      predict: inputs as `train` took them, of n examples -> scores [n, K].
      examples: of the training split.
      epoch_seconds: of each epoch's training, without evaluation.
    """

    predict: Callable[..., np.ndarray]
    examples: int
    epoch_seconds: Sequence[float]

    @property
    def samples_per_second(self) -> float:
        """Of the median epoch, the first left out where there are more: it warms up, and Keras compiles in it."""
        return self.examples / statistics.median(self.epoch_seconds[1:] or self.epoch_seconds)
