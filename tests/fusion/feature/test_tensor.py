"""Tensor fusion and its low-rank form, in float64 against NumPy."""

import jax.numpy as jnp
import numpy as np
import pytest
from feature_cases import CLOSE, NAMES, SIZES, WIDTH, B, count, embeddings, fused, starting_variance, total, without

from mmjax.errors import InputError
from mmjax.fusion import LowRankTensor, Tensor
from mmjax.fusion.feature.tensor import widest_that_fits


def outer(h):
    """The outer product of the [h_i; 1], flattened, by einsum."""
    operands = []
    for i, value in enumerate(h.values()):
        operands += [np.concatenate([value, np.ones((B, 1))], axis=1), [50, i]]
    return np.einsum(*operands, [50, *range(len(h))]).reshape(B, -1)


@pytest.mark.parametrize("names", NAMES, ids=len)
def test_tensor(names):
    h = embeddings(names)
    F, params = fused(Tensor(tensor_limit=10**6), h)
    np.testing.assert_allclose(F, outer(h), **CLOSE)
    assert count(params) == 0


def test_tensor_contains_one_every_feature_and_every_pair():
    h = embeddings(("audio", "text"))
    F = fused(Tensor(), h)[0].reshape(B, SIZES["audio"] + 1, SIZES["text"] + 1)
    np.testing.assert_array_equal(F[:, -1, -1], 1)
    np.testing.assert_array_equal(F[:, :-1, -1], h["audio"])
    np.testing.assert_array_equal(F[:, -1, :-1], h["text"])
    np.testing.assert_allclose(F[:, :-1, :-1], h["audio"][:, :, None] * h["text"][:, None], **CLOSE)


def test_tensor_beyond_its_limit_narrows_the_wide_or_is_refused():
    h = embeddings(NAMES[1])  # 3, 6 and 2 features: 84 entries; 5, 3 and 2 would be too many for 60
    F, params = fused(Tensor(tensor_limit=60), h)
    assert F.shape == (B, 4 * 5 * 3)
    narrowed = h | {"image": h["image"] @ params["narrow_image"]["kernel"]}
    np.testing.assert_allclose(F, outer(narrowed), **CLOSE)
    assert count(params) == SIZES["image"] * 4
    with pytest.raises(InputError, match="tensor fusion of 3 modalities is limited to 60 entries.*image 6"):
        fused(Tensor(tensor_limit=60, project=False), h)
    with pytest.raises(InputError, match="limited to 7 entries"):
        fused(Tensor(tensor_limit=7), h)


def test_widest_that_fits():
    assert widest_that_fits([64, 64], 65 * 65) == 64
    assert widest_that_fits([64, 64], 65 * 65 - 1) == 63
    assert widest_that_fits([2, 64], 3 * 10) == 9
    assert widest_that_fits([5] * 6, 64) == 1
    assert widest_that_fits([5] * 6, 63) == 0


@pytest.mark.parametrize("names", NAMES, ids=len)
def test_low_rank_tensor(names):
    """F[w] = sum_r prod_i <[h_i; 1], F_i^r[:, w]> + b[w], one number at a time."""
    h, rank = embeddings(names), 3
    F, params = fused(LowRankTensor(WIDTH, rank), h)
    expected = np.zeros((B, WIDTH))
    for b, w, r in np.ndindex(B, WIDTH, rank):
        expected[b, w] += np.prod([np.append(h[n][b], 1) @ params[f"factor_{n}"][:, r, w] for n in names])
    np.testing.assert_allclose(F, expected + params["bias"], **CLOSE)
    assert count(params) == (total(h) + len(names)) * rank * WIDTH + WIDTH


def test_low_rank_tensor_of_full_rank_is_tensor_and_a_linear_map():
    """Any W over the outer product of the [h_i; 1] is reached: rank (d_1 + 1)(d_2 + 1), a factor pair a cell."""
    h, rng = embeddings(("audio", "text")), np.random.default_rng(1)
    rows, columns = SIZES["audio"] + 1, SIZES["text"] + 1
    W = rng.normal(size=(rows, columns, WIDTH))
    first, second = np.zeros((rows, rows * columns, WIDTH)), np.zeros((columns, rows * columns, WIDTH))
    for r, (i, j) in enumerate(np.ndindex(rows, columns)):
        first[i, r], second[j, r] = W[i, j], 1
    params = {"factor_audio": jnp.asarray(first), "factor_text": jnp.asarray(second), "bias": jnp.zeros(WIDTH)}
    F = LowRankTensor(WIDTH, rows * columns).apply({"params": params}, h)
    np.testing.assert_allclose(F, Tensor().apply({}, h) @ W.reshape(-1, WIDTH), **CLOSE)


@pytest.mark.parametrize("g", [Tensor(), LowRankTensor(WIDTH, 2)], ids=lambda g: type(g).__name__)
def test_an_absent_modality_leaves_the_products_of_the_others(g):
    """Its appended 1 is all that it contributes."""
    h = embeddings(NAMES[1])
    F, _ = fused(g, h, without("image", h))
    zeroed, _ = fused(g, h | {"image": np.zeros((B, SIZES["image"]))})
    np.testing.assert_allclose(F, zeroed, **CLOSE)


# Products of six normals have heavy tails (kurtosis 3^6), and a naive start is off by orders of magnitude.
@pytest.mark.parametrize("modalities", [2, 6])
@pytest.mark.parametrize("g", [Tensor(), LowRankTensor(64, 4)], ids=lambda g: type(g).__name__)
def test_it_starts_with_variance_one(g, modalities):
    assert 0.5 < starting_variance(g, modalities) < 2
