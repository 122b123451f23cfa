"""What a corruption is given, and what it returns."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mmjax.types import ModalitySpec

LEVELS = 11  # 0 to 10


class Draw(NamedTuple):
    """A modality of a split, and how much is to go wrong.

    Attributes:
      values: [n, ...]; lengths: [n] or None; present: [n] bool.
      share: level / 10, above 0 and up to 1.
      generator: of the draws; a corruption draws the same numbers at every level.
      spread: deviation of each feature on train, [features] or [1].
      spec: the modality.
    """

    values: np.ndarray
    lengths: np.ndarray | None
    present: np.ndarray
    share: float
    generator: np.random.Generator
    spread: np.ndarray
    spec: ModalitySpec

    @property
    def valid(self) -> np.ndarray:
        """[n, T] bool: steps within the lengths."""
        return np.arange(self.values.shape[1]) < self.lengths[:, None]

    def kept(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray | None, np.ndarray]:
        """Other values, with lengths and presence as they were."""
        return values, self.lengths, self.present


Changed = tuple[np.ndarray, np.ndarray | None, np.ndarray]  # values, lengths (or None), present
