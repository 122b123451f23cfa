"""Products of projected embeddings are their equations, in float64 against NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from feature_cases import CLOSE, NAMES, SIZES, WIDTH, B, count, embeddings, fused, starting_variance, total, without

from mmjax.errors import InputError
from mmjax.fusion import MCB, MFB, MFH, MLB, Block, Multiplicative, Mutan
from mmjax.fusion.feature.compact_bilinear import count_sketch
from mmjax.fusion.feature.hadamard import SMALLEST

every_number = pytest.mark.parametrize("names", NAMES, ids=len)
RANK, FACTORS = 3, 2


def product(h, params, names, place=""):
    """prod_i U_i h_i."""
    return np.prod([h[n] @ params[f"project_{place}{n}"]["kernel"] for n in names], axis=0)


def squeezed(expanded):
    """SumPool, signed root, l2."""
    z = expanded.reshape(B, -1, FACTORS).sum(2)
    z = np.sign(z) * np.sqrt(np.abs(z) + SMALLEST)
    return z / np.sqrt((z**2).sum(1, keepdims=True) + SMALLEST)


@every_number
def test_mlb(names):
    h = embeddings(names)
    F, params = fused(MLB(WIDTH), h)
    joined = np.prod([np.tanh(h[n] @ params[f"project_{n}"]["kernel"]) for n in names], axis=0)
    np.testing.assert_allclose(F, joined @ params["output"]["kernel"], **CLOSE)
    assert count(params) == total(h) * WIDTH + WIDTH * WIDTH


@every_number
def test_mfb(names):
    h = embeddings(names)
    F, params = fused(MFB(WIDTH, FACTORS), h)
    np.testing.assert_allclose(F, squeezed(product(h, params, names)), **CLOSE)
    np.testing.assert_allclose((F**2).sum(1), 1, atol=1e-5)  # but for SMALLEST, 1e-6
    assert count(params) == total(h) * WIDTH * FACTORS


@every_number
def test_mfh_cascades_mfb(names):
    h = embeddings(names)
    F, params = fused(MFH(WIDTH, FACTORS, cascades=2), h)
    first = product(h, params, names, "0_")
    second = first * product(h, params, names, "1_")
    np.testing.assert_allclose(F, np.concatenate([squeezed(first), squeezed(second)], axis=1), **CLOSE)
    assert count(params) == 2 * total(h) * WIDTH * FACTORS


def test_the_signed_root_has_a_gradient_at_zero():
    h = {name: jnp.zeros((B, 3)) for name in ("audio", "text")}
    g = MFB(WIDTH, FACTORS)
    variables = g.init(jax.random.key(0), h)
    assert np.isfinite(jax.grad(lambda x: g.apply(variables, h | {"text": x}).sum())(h["text"])).all()


@every_number
def test_mcb_is_the_sketch_of_the_outer_product(names):
    """Convolution of sketches = sketch of the outer product, places added modulo D and signs multiplied."""
    h, D = embeddings(names), 16
    g = MCB(D)
    variables = g.init(jax.random.key(0), h)
    outer, places, signs = np.ones((B, 1)), np.zeros(1, int), np.ones(1)
    for n in names:
        place, sign = map(np.asarray, variables["batch_stats"][f"sketch_{n}"])
        outer = (outer[:, :, None] * (h[n] / np.sqrt(SIZES[n]))[:, None]).reshape(B, -1)
        places, signs = np.add.outer(places, place).ravel() % D, np.multiply.outer(signs, sign).ravel()
    expected = np.stack([outer @ (signs * (places == d)) for d in range(D)], axis=1)
    # The Fourier transform is in float32: a few units in the last place of terms up to 10.
    np.testing.assert_allclose(g.apply(variables, h), np.sqrt(D) * expected, rtol=1e-4, atol=1e-5)
    assert "params" not in variables


def test_mcb_keeps_inner_products_on_average():
    """E[<MCB(x, y), MCB(x', y')>] = <x, x'> <y, y'> D / (d_1 d_2) over 4,000 draws; within 4 standard errors."""
    rng = np.random.default_rng(0)
    D, h = 32, {"x": rng.normal(size=(2, 4)), "y": rng.normal(size=(2, 3))}
    apply = jax.jit(jax.vmap(lambda key: MCB(D).apply(MCB(D).init(key, h), h)))
    sketches = np.asarray(apply(jax.random.split(jax.random.key(0), 4000)))
    products = (sketches[:, 0] * sketches[:, 1]).sum(1) / D * 12
    expected = np.prod([h[n][0] @ h[n][1] for n in h])
    assert abs(products.mean() - expected) < 4 * products.std() / np.sqrt(len(products))


def test_count_sketch_adds_signed_features_into_their_places():
    sketched = count_sketch(jnp.asarray([[1.0, 2, 4]]), jnp.asarray([0, 2, 0]), jnp.asarray([1, -1, -1]), 3)
    np.testing.assert_array_equal(sketched, [[-3, 0, -2]])


def tucker(h, params, names, chunks):
    """[F_1; ...; F_C], one number at a time."""
    size, F = WIDTH // chunks, np.ones((B, chunks, RANK, WIDTH // chunks))
    for n in names:
        projected = (h[n] @ params[f"project_{n}"]["kernel"]).reshape(B, chunks, size)
        for c, r in np.ndindex(chunks, RANK):
            F[:, c, r] *= projected[:, c] @ params[f"core_{n}"][c, :, r]
    return F.sum(2).reshape(B, WIDTH)


@every_number
def test_mutan(names):
    h = embeddings(names)
    F, params = fused(Mutan(WIDTH, RANK), h)
    np.testing.assert_allclose(F, tucker(h, params, names, 1), **CLOSE)
    assert count(params) == total(h) * WIDTH + len(names) * WIDTH * RANK * WIDTH


@every_number
def test_block(names):
    h = embeddings(names)
    F, params = fused(Block(WIDTH, RANK, chunks=2), h)
    np.testing.assert_allclose(F, tucker(h, params, names, 2), **CLOSE)
    assert count(params) == total(h) * WIDTH + len(names) * 2 * (WIDTH // 2) * RANK * (WIDTH // 2)


def test_block_of_one_chunk_is_mutan():
    h = embeddings(NAMES[1])
    np.testing.assert_array_equal(fused(Block(WIDTH, RANK, 1), h)[0], fused(Mutan(WIDTH, RANK), h)[0])


def test_block_refuses_chunks_that_do_not_divide_its_width():
    with pytest.raises(InputError, match="chunks = 3 is not accepted by block: give a divisor of width .4."):
        fused(Block(WIDTH, RANK, 3), embeddings(NAMES[0]))


def test_mutan_of_full_rank_is_any_bilinear_map():
    """Any Tucker core: with a rank a pair (j, k), A_1 picks j times the core, and A_2 picks k."""
    h, rng = embeddings(("audio", "text")), np.random.default_rng(1)
    core = rng.normal(size=(WIDTH, WIDTH, WIDTH))
    g = Mutan(WIDTH, WIDTH * WIDTH)
    params = dict(g.init(jax.random.key(0), h)["params"])
    first, second = np.zeros((2, 1, WIDTH, WIDTH * WIDTH, WIDTH))
    for r, (j, k) in enumerate(np.ndindex(WIDTH, WIDTH)):
        first[0, j, r], second[0, k, r] = core[j, k], 1
    F = g.apply({"params": params | {"core_audio": jnp.asarray(first), "core_text": jnp.asarray(second)}}, h)
    x, y = (h[n] @ params[f"project_{n}"]["kernel"] for n in ("audio", "text"))
    np.testing.assert_allclose(F, np.einsum("bj,bk,jkw->bw", x, y, core), **CLOSE)


@every_number
def test_multiplicative(names):
    h = embeddings(names)
    F, params = fused(Multiplicative(WIDTH), h)
    z, expected_count = h[names[0]], 0
    for n in names[1:]:
        d, e = z.shape[1], SIZES[n]
        bilinear = np.einsum("bd,dew,be->bw", z, params[f"W_{n}"], h[n])
        z = bilinear + z @ params[f"U_{n}"]["kernel"] + params[f"U_{n}"]["bias"] + h[n] @ params[f"V_{n}"]["kernel"]
        expected_count += d * e * WIDTH + (d + 1) * WIDTH + e * WIDTH
    np.testing.assert_allclose(F, z, **CLOSE)
    assert count(params) == expected_count


def test_multiplicative_without_its_product_is_concat_and_a_linear_map():
    h = embeddings(("audio", "text"))
    g = Multiplicative(WIDTH)
    params = g.init(jax.random.key(0), h)["params"]
    F = g.apply({"params": params | {"W_text": jnp.zeros_like(params["W_text"])}}, h)
    kernel = np.concatenate([params["U_text"]["kernel"], params["V_text"]["kernel"]])
    np.testing.assert_allclose(F, np.concatenate([h["audio"], h["text"]], axis=1) @ kernel, **CLOSE)


def test_multiplicative_narrows_a_wide_embedding_first():
    h = embeddings(("audio", "image"))
    F, params = fused(Multiplicative(WIDTH, widest=4), h)
    narrow = params.pop("narrow_image")["kernel"]
    assert narrow.shape == (SIZES["image"], 4)
    narrowed = {"audio": h["audio"], "image": h["image"] @ narrow}
    np.testing.assert_allclose(Multiplicative(WIDTH).apply({"params": params}, narrowed), F, **CLOSE)


@pytest.mark.parametrize("g", [MLB(WIDTH), MFB(WIDTH, FACTORS), Mutan(WIDTH, RANK), Block(WIDTH, RANK, 2)],
                         ids=lambda g: type(g).__name__)  # fmt: skip
def test_an_absent_modality_is_left_out_of_the_product(g):
    h = embeddings(NAMES[1])
    F, params = fused(g, h, without("image", h))
    others = {n: v for n, v in h.items() if n != "image"}
    np.testing.assert_allclose(F, g.apply({"params": params}, others), **CLOSE)


# A product of six normals has kurtosis 3^6: over 400 x 64 values in three starts its variance is known to some 20%.
# A start that ignores M is off by far more: tanh alone by 0.39^6, ranks by R^5.
@pytest.mark.parametrize("modalities", [2, 6])
@pytest.mark.parametrize("g", [MLB(64), MCB(256), Mutan(64), Block(64), Multiplicative(64)],
                         ids=lambda g: type(g).__name__)  # fmt: skip
def test_it_starts_with_variance_one(g, modalities):
    assert 0.5 < starting_variance(g, modalities) < 2
