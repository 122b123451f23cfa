"""The decomposition of what a pair tells: published examples, and the identities of the paper.

The solver stops at a gap of 1e-8; the entropies' logarithms make up to 1e-6 bits of it.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mmjax.data.synthetic import latents
from mmjax.data.synthetic.decomposition import decompose
from mmjax.data.synthetic.information import mutual_information

BITS = 1e-5
AND = np.zeros((2, 2, 2))
for first in (0, 1):
    for second in (0, 1):
        AND[first & second, first, second] = 1 / 4

# Bertschinger et al. 2014, table 1; bits.
PUBLISHED = {
    "RDN": (latents.redundant(2, 2), (1, 0, 0, 0)),
    "UNQ": (latents.unique(2), (0, 1, 1, 0)),
    "XOR": (latents.parity(2), (0, 0, 0, 1)),
    "AND": (AND, (0.3112781, 0, 0, 0.5)),
}

weights = hnp.arrays(float, (2, 3, 2), elements=st.floats(0.01, 1))
tables = weights.map(lambda table: table / table.sum())


@pytest.mark.parametrize("table, bits", PUBLISHED.values(), ids=PUBLISHED)
def test_published_examples(table, bits):
    np.testing.assert_allclose(decompose(table), bits, atol=BITS)


def test_a_mixture_is_taken_apart():
    np.testing.assert_allclose(decompose(latents.mixed()), (1, 1, 0, 1), atol=BITS)


@given(tables)
@settings(max_examples=15, deadline=None)
def test_the_parts_add_up_and_none_is_negative(table):
    redundant, first, second, synergistic = decompose(table)
    assert min(redundant, first, second, synergistic) >= 0
    assert redundant + first == pytest.approx(mutual_information(table, (0,)), abs=BITS)
    assert redundant + second == pytest.approx(mutual_information(table, (1,)), abs=BITS)
    assert redundant + first + second + synergistic == pytest.approx(mutual_information(table, (0, 1)), abs=BITS)


@given(tables)
@settings(max_examples=10, deadline=None)
def test_names_and_order_of_symbols_do_not_matter(table):
    redundant, first, second, synergistic = decompose(table)
    np.testing.assert_allclose(decompose(table.swapaxes(1, 2)), (redundant, second, first, synergistic), atol=BITS)
    relabelled = table[::-1, [2, 0, 1]][:, :, ::-1]
    np.testing.assert_allclose(decompose(relabelled), (redundant, first, second, synergistic), atol=BITS)


def test_a_modality_that_tells_nothing_has_no_share():
    table = latents.agreeing(0.8, 0.5)
    told = mutual_information(table, (0,))
    np.testing.assert_allclose(decompose(table), (0, told, 0, 0), atol=BITS)
