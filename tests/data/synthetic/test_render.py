"""Renderings: a symbol can be read back without error, and nothing else depends on it."""

import numpy as np
import pytest

from mmjax.data.synthetic.render import render, spec_of, symbols_from


@pytest.mark.parametrize("kind", ["image", "tokens", "sequence", "vector"])
@pytest.mark.parametrize("symbols", [2, 4, 9])
def test_a_symbol_is_read_back(kind, symbols):
    spec = spec_of("a", kind, symbols)
    drawn = np.random.default_rng(0).integers(0, symbols, 500)
    values, lengths = render(np.random.default_rng(1), spec, drawn)
    np.testing.assert_array_equal(symbols_from(spec, values), drawn)
    assert values.shape == (500, *spec.shape) and (lengths >= 1).all() and (lengths <= spec.shape[0]).all()
    if kind == "tokens":
        assert values.max() < spec.vocabulary
        assert not values[np.arange(spec.shape[0]) >= lengths[:, None]].any()


@pytest.mark.parametrize("kind", ["image", "tokens", "sequence", "vector"])
def test_the_same_generator_renders_the_same(kind):
    spec, drawn = spec_of("a", kind, 4), np.arange(20) % 4
    first, second, other = (render(np.random.default_rng(seed), spec, drawn)[0] for seed in (0, 0, 1))
    assert np.array_equal(first, second) and not np.array_equal(first, other)
