"""Numbers and categories against scikit-learn, and worked by hand."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mmjax.data.transforms.contract import Column
from mmjax.data.transforms.tabular import Impute, OneHot, Scale, Table

FLOATS = st.floats(-1e3, 1e3, width=32)


def column(values, lengths=None):
    values = np.asarray(values)
    return Column(values, np.ones(len(values), bool), lengths)


@given(arrays(np.float32, (6, 3), elements=FLOATS))
def test_standard_scaling_is_scikit_learns(values):
    from sklearn.preprocessing import StandardScaler

    step = Scale()
    made = step.apply(step.fit(column(values)), column(values)).values
    expected = StandardScaler().fit_transform(values.astype(np.float64))
    np.testing.assert_allclose(made, expected, rtol=1e-6, atol=1e-6)  # float64 inside, rounded to float32


def test_min_max_is_0_to_1_and_a_constant_feature_is_only_moved():
    step, train = Scale(by="min_max"), column([[1.0, 5.0], [3.0, 5.0]])
    state = step.fit(train)
    np.testing.assert_array_equal(step.apply(state, train).values, [[0, 0], [1, 0]])
    np.testing.assert_array_equal(step.apply(state, column([[2.0, 7.0]])).values, [[0.5, 2]])


def test_sequences_are_scaled_over_their_valid_steps():
    values = np.array([[[1.0], [99.0]], [[3.0], [5.0]]])
    state = Scale().fit(column(values, np.array([1, 2], np.int32)))
    np.testing.assert_allclose(state["shift"], [3])  # of 1, 3 and 5


def test_clipping():
    train = column([[0.0], [2.0]])
    step = Scale(clip=1.5)
    np.testing.assert_array_equal(step.apply(step.fit(train), column([[100.0]])).values, [[1.5]])


def test_what_is_nan_is_filled_and_told():
    nan = np.nan
    step, train = Impute(), column([[1.0, nan, 4.0], [3.0, nan, nan], [8.0, nan, 6.0]])
    made = step.apply(step.fit(train), column([[nan, nan, nan], [1.0, 2.0, 3.0]])).values
    # Medians 3 and 5; the second is NaN all over train. Its and the third's indicators follow.
    np.testing.assert_array_equal(made, [[3, 0, 5, 1, 1], [1, 2, 3, 0, 0]])


def test_one_hot_of_unseen_categories():
    train, new = column(np.array(["a", "b", "b"], object)), column(np.array(["b", "zebra"], object))
    for unseen, expected in (("ignore", [[0, 1], [0, 0]]), ("own", [[0, 1, 0], [0, 0, 1]])):
        step = OneHot(unseen=unseen)
        np.testing.assert_array_equal(step.apply(step.fit(train), new).values, expected)
    rare = OneHot(least=2)
    np.testing.assert_array_equal(rare.apply(rare.fit(train), train).values, [[0], [1], [1]])


def test_a_table_has_its_numbers_first():
    train = column(np.array([["1", "x", 4], ["3", "y", 8]], object))
    step = Table(numbers=(0, 2))
    np.testing.assert_array_equal(step.apply(step.fit(train), train).values, [[-1, -1, 1, 0], [1, 1, 0, 1]])
