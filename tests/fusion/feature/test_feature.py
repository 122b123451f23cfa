"""Each feature-level fusion is its equation, in float64 against NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mmjax.fusion import GMU, Concat, LowRankTensor, Weighted

B, WIDTH = 5, 4
SIZES = {"audio": 3, "image": 6, "text": 2}
# Float64 throughout: sums of a few dozen terms of order 1.
CLOSE = {"rtol": 1e-12, "atol": 1e-12}


@pytest.fixture(autouse=True)
def float64():
    with jax.enable_x64(True):
        yield


def embeddings(names, seed=0):
    rng = np.random.default_rng(seed)
    return {name: rng.normal(size=(B, SIZES[name])) for name in names}


def fused(g, h, present=None, seed=0):
    """g applied with random float64 parameters, and these parameters."""
    rng = np.random.default_rng(seed)
    h = {name: jnp.asarray(value) for name, value in h.items()}
    params = g.init(jax.random.key(0), h).get("params", {})
    params = jax.tree.map(lambda p: jnp.asarray(rng.normal(size=p.shape)), params)
    return np.asarray(g.apply({"params": params}, h, present)), jax.tree.map(np.asarray, params)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def count(params):
    return sum(leaf.size for leaf in jax.tree.leaves(params))


@pytest.mark.parametrize("names", [("audio", "text"), ("audio", "image", "text")])
class TestEquations:
    def test_concat(self, names):
        h = embeddings(names)
        F, params = fused(Concat(), h)
        np.testing.assert_array_equal(F, np.concatenate([h[n] for n in names], axis=1))
        assert count(params) == 0

    def test_weighted(self, names):
        h = embeddings(names)
        F, params = fused(Weighted(WIDTH), h)
        a = np.exp(params["weights"]) / np.exp(params["weights"]).sum()
        expected = sum(a[i] * h[n] @ params[f"project_{n}"]["kernel"] for i, n in enumerate(names))
        np.testing.assert_allclose(F, expected, **CLOSE)
        assert count(params) == len(names) + sum(SIZES[n] for n in names) * WIDTH

    def test_gmu(self, names):
        h = embeddings(names)
        F, params = fused(GMU(WIDTH), h)
        together = np.concatenate([h[n] for n in names], axis=1)
        if len(names) == 2:
            g = sigmoid(together @ params["gate"]["kernel"])
            gates = [g, 1 - g]
        else:
            gates = [sigmoid(together @ params[f"gate_{n}"]["kernel"]) for n in names]
        states = [np.tanh(h[n] @ params[f"project_{n}"]["kernel"]) for n in names]
        np.testing.assert_allclose(F, sum(g * s for g, s in zip(gates, states, strict=True)), **CLOSE)
        d = together.shape[1]
        assert count(params) == d * WIDTH + d * WIDTH * (1 if len(names) == 2 else len(names))

    def test_low_rank_tensor(self, names):
        """F[w] = sum_r prod_i <[h_i; 1], F_i^r[:, w]> + b[w], one number at a time."""
        h, rank = embeddings(names), 3
        F, params = fused(LowRankTensor(WIDTH, rank), h)
        expected = np.zeros((B, WIDTH))
        for b in range(B):
            for w in range(WIDTH):
                for r in range(rank):
                    factors = [np.append(h[n][b], 1) @ params[f"factor_{n}"][:, r, w] for n in names]
                    expected[b, w] += np.prod(factors)
        np.testing.assert_allclose(F, expected + params["bias"], **CLOSE)
        assert count(params) == sum((SIZES[n] + 1) * rank * WIDTH for n in names) + WIDTH


def test_weighted_with_equal_weights_is_the_mean_of_those_present():
    h = embeddings(("audio", "image"))
    g = Weighted(WIDTH)
    params = g.init(jax.random.key(0), h)
    present = {"audio": jnp.ones(B, bool), "image": jnp.arange(B) > 1}
    projected = [h[n] @ params["params"][f"project_{n}"]["kernel"] for n in h]
    expected = np.where(np.arange(B)[:, None] > 1, (projected[0] + projected[1]) / 2, projected[0])
    np.testing.assert_allclose(g.apply(params, h, present), expected, **CLOSE)


def test_gmu_with_its_gate_forced_is_one_modality_alone():
    h = {name: np.abs(value) for name, value in embeddings(("audio", "text")).items()}
    g = GMU(WIDTH)
    params = g.init(jax.random.key(0), h)["params"]
    for sign, name in ((1, "audio"), (-1, "text")):
        # Positive inputs times +-1e3 saturate the sigmoid: exp(-1e3) is 0 in float64.
        forced = params | {"gate": {"kernel": jnp.full_like(params["gate"]["kernel"], sign * 1e3)}}
        np.testing.assert_allclose(
            g.apply({"params": forced}, h), np.tanh(h[name] @ params[f"project_{name}"]["kernel"]), **CLOSE
        )


def test_low_rank_tensor_of_full_rank_is_the_tensor_and_a_linear_map():
    """Any W over the outer product of the [h_i; 1] is reached: rank (d_1 + 1)(d_2 + 1), a factor pair a cell."""
    h, rng = embeddings(("audio", "text")), np.random.default_rng(1)
    rows, columns = SIZES["audio"] + 1, SIZES["text"] + 1
    W = rng.normal(size=(rows, columns, WIDTH))
    first, second = np.zeros((rows, rows * columns, WIDTH)), np.zeros((columns, rows * columns, WIDTH))
    for r, (i, j) in enumerate(np.ndindex(rows, columns)):
        first[i, r], second[j, r] = W[i, j], 1
    params = {"factor_audio": jnp.asarray(first), "factor_text": jnp.asarray(second), "bias": jnp.zeros(WIDTH)}
    F = LowRankTensor(WIDTH, rows * columns).apply({"params": params}, h)
    one = {n: np.concatenate([h[n], np.ones((B, 1))], axis=1) for n in h}
    np.testing.assert_allclose(F, np.einsum("bi,bj,ijw->bw", one["audio"], one["text"], W), **CLOSE)


@pytest.mark.parametrize("modalities", [2, 6])
def test_low_rank_tensor_starts_with_variance_one(modalities):
    """Over random embeddings, features and starts. A product of M normals has heavy tails (kurtosis 3^M), so the
    band for 200 x 300 values is wide: a factor of 2 either way, where a naive start is off by 10^M."""
    rng = np.random.default_rng(0)
    h = {f"m{i}": rng.normal(size=(300, 16)) for i in range(modalities)}
    g = LowRankTensor(200, 4)
    variance = g.apply(g.init(jax.random.key(0), h), h).var()
    assert 0.5 < variance < 2


def test_an_absent_modality_leaves_the_product_of_the_others():
    h = embeddings(("audio", "image", "text"))
    F, params = fused(
        LowRankTensor(WIDTH, 2), h, {"audio": jnp.ones(B, bool), "image": jnp.zeros(B, bool), "text": jnp.ones(B, bool)}
    )
    zeroed, _ = fused(LowRankTensor(WIDTH, 2), h | {"image": np.zeros((B, SIZES["image"]))})
    np.testing.assert_allclose(F, zeroed, **CLOSE)
