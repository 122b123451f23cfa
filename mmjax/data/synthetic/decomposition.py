"""What two modalities tell of a class, taken apart: both the same, one alone, or only together.

Source: Bertschinger, Rauh, Olbrich, Jost and Ay 2014, Quantifying Unique Information (Entropy 16), "BROJA".
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mmjax.data.synthetic.information import mutual_information


class Decomposition(NamedTuple):
    """Bits, none negative; the four add up to I(Y; Z_1, Z_2).

    Attributes:
      redundant: told by either.
      first, second: told by that one alone.
      synergistic: told by both together and by neither.
    """

    redundant: float
    first: float
    second: float
    synergistic: float


def decompose(table: np.ndarray) -> Decomposition:
    """The decomposition of p(y, z_1, z_2), by a convex programme.

    Among the distributions Q with the pairwise margins Q(y, z_1) = P(y, z_1) and Q(y, z_2) = P(y, z_2), the one that
    tells least of Y has no synergy: unique information is what Z_1 adds to Z_2 under it, and synergy what P tells more
    (equations 1, 2 and 10). Its mutual information is found as an exponential cone programme, whose solver is exact to
    about 1e-8; what lies below 0 by no more than that is 0.

    Args:
      table: float64 [classes, symbols_1, symbols_2].
    """
    whole = mutual_information(table, (0, 1))
    first, second = mutual_information(table, (0,)), mutual_information(table, (1,))
    least = min(max(_least_information(table), first, second), whole)
    return Decomposition(*(max(v, 0.0) for v in (first + second - least, least - second, least - first, whole - least)))


def _least_information(table: np.ndarray) -> float:
    """min I_Q(Y; Z_1, Z_2) in bits over the distributions with the table's pairwise margins."""
    import cvxpy

    classes, first, second = table.shape
    # Only where both margins have mass can Q have any.
    places = np.argwhere((table.sum(axis=2)[:, :, None] > 0) & (table.sum(axis=1)[:, None, :] > 0))
    y, a, b = places.T
    q = cvxpy.Variable(len(places), nonneg=True)
    margins = []
    for keys, wanted in (((y, a), table.sum(axis=2)), ((y, b), table.sum(axis=1))):
        codes = np.ravel_multi_index(keys, wanted.shape)
        groups, codes = np.unique(codes, return_inverse=True)
        margins.append(_indicator(codes) @ q == wanted.ravel()[groups])
    pairs = np.unique(np.ravel_multi_index((a, b), (first, second)), return_inverse=True)[1]
    together = _indicator(pairs)
    conditional = -cvxpy.sum(cvxpy.rel_entr(q, together.T @ (together @ q)))  # H_Q(Y | Z_1, Z_2) in nats
    problem = cvxpy.Problem(cvxpy.Maximize(conditional), margins)
    problem.solve(solver=cvxpy.CLARABEL)
    prior = table.sum(axis=(1, 2))
    prior = prior[prior > 0]
    return float(-(prior * np.log2(prior)).sum() - problem.value / np.log(2))


def _indicator(codes: np.ndarray):
    """[codes, n] sparse, 1 where column n has that code."""
    from scipy.sparse import csr_array

    return csr_array((np.ones(len(codes)), (codes, np.arange(len(codes)))))
