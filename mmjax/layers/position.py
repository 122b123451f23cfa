"""Where a step of a sequence stands, as a vector."""

import numpy as np

LONGEST_PERIOD = 10_000.0  # over 2 pi, in steps


def sinusoids(steps: int, width: int) -> np.ndarray:
    """P[t, j] = sin(t / 10000^(j / width)) for even j, and the cosine of the same angle for the odd j after it.

    Returns:
      [steps, width], float32; a longer table begins with a shorter one.

    References:
      Vaswani et al., "Attention is all you need", arXiv:1706.03762, 2017, section 3.5.
    """
    column = np.arange(width)
    angle = np.arange(steps)[:, None] / LONGEST_PERIOD ** ((column - column % 2) / width)
    return np.where(column % 2 == 0, np.sin(angle), np.cos(angle)).astype(np.float32)
