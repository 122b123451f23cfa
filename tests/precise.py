"""Gamma functions to forty digits, where SciPy's float64 would lose what is compared: log Gamma(1e12) to 1e-3."""

import functools
from decimal import Decimal, localcontext

DIGITS = 50
SHIFT = 40  # from there Stirling's series has 40 digits after TERMS terms
BERNOULLI = [Decimal(n) / d for n, d in [(1, 6), (-1, 30), (1, 42), (-1, 30), (5, 66), (-691, 2730), (7, 6),
    (-3617, 510), (43867, 798), (-174611, 330), (854513, 138), (-236364091, 2730), (8553103, 6)]]  # fmt: skip
LOG_TWO_PI = Decimal("1.8378770664093454835606594728112352797227949472755668")


@functools.cache
def log_gamma(x: float) -> Decimal:
    """Of x > 0, taken as the very number that it is."""
    with localcontext(prec=DIGITS):
        moved, y = _moved(Decimal(x))
        series = sum(b / (2 * k * (2 * k - 1) * y ** (2 * k - 1)) for k, b in enumerate(BERNOULLI, 1))
        return (y - Decimal("0.5")) * y.ln() - y + LOG_TWO_PI / 2 + series - sum(step.ln() for step in moved)


@functools.cache
def digamma(x: float) -> Decimal:
    """Of x > 0."""
    with localcontext(prec=DIGITS):
        moved, y = _moved(Decimal(x))
        series = sum(b / (2 * k * y ** (2 * k)) for k, b in enumerate(BERNOULLI, 1))
        return y.ln() - 1 / (2 * y) - series - sum(1 / step for step in moved)


@functools.cache
def trigamma(x: float) -> Decimal:
    """Of x > 0."""
    with localcontext(prec=DIGITS):
        moved, y = _moved(Decimal(x))
        series = sum(b / y ** (2 * k + 1) for k, b in enumerate(BERNOULLI, 1))
        return 1 / y + 1 / (2 * y * y) + series + sum(1 / step**2 for step in moved)


def _moved(x: Decimal) -> tuple[list[Decimal], Decimal]:
    """The arguments of the recurrence, and where the series is taken."""
    steps = max(0, SHIFT - int(x)) if x < SHIFT else 0
    return [x + step for step in range(steps)], x + steps
