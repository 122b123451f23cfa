"""Fusions of the modalities as a set, and as experts on one latent code, in float64 against NumPy."""

import jax.numpy as jnp
import numpy as np
import pytest
from feature_cases import CLOSE, NAMES, WIDTH, B, count, embeddings, fused, total, without

from mmjax.fusion import DeepSets, ProductLatent
from mmjax.fusion.feature.product_latent import product_of_gaussians

every_number = pytest.mark.parametrize("names", NAMES, ids=len)


def dense(x, layer):
    return x @ layer["kernel"] + layer["bias"]


@every_number
@pytest.mark.parametrize("pool, reduce", [("mean", np.mean), ("max", np.max)])
def test_deep_sets(names, pool, reduce):
    h = embeddings(names)
    F, params = fused(DeepSets(WIDTH, pool), h)
    elements = np.stack([np.maximum(dense(h[n], params[f"phi_{n}"]), 0) for n in names])
    np.testing.assert_allclose(F, np.maximum(dense(reduce(elements, axis=0), params["rho"]), 0), **CLOSE)
    assert count(params) == total(h) * WIDTH + len(names) * WIDTH + WIDTH * WIDTH + WIDTH


@pytest.mark.parametrize("g", [DeepSets(WIDTH), DeepSets(WIDTH, "max"), ProductLatent(WIDTH)])
def test_an_absent_modality_is_as_none(g):
    h = embeddings(NAMES[1])
    F, params = fused(g, h, without("image", h))
    np.testing.assert_allclose(F, g.apply({"params": params}, {n: v for n, v in h.items() if n != "image"}), **CLOSE)


@every_number
def test_product_latent(names):
    """The precision-weighted mean of all experts and of the prior, which has precision 1 and mean 0."""
    h = embeddings(names)
    F, params = fused(ProductLatent(WIDTH), h)
    means = [dense(h[n], params[f"mean_{n}"]) for n in names]
    precisions = [np.logaddexp(0, dense(h[n], params[f"precision_{n}"])) for n in names]
    weighted = sum(m * p for m, p in zip(means, precisions, strict=True))
    np.testing.assert_allclose(F, weighted / (1 + sum(precisions)), **CLOSE)
    assert count(params) == 2 * (total(h) * WIDTH + len(names) * WIDTH)


def test_product_latent_of_nothing_is_the_prior():
    h = embeddings(NAMES[0])
    F, _ = fused(ProductLatent(WIDTH), h, {n: jnp.zeros(B, bool) for n in h})
    np.testing.assert_array_equal(F, 0)


def test_one_gaussian_is_itself_and_a_product_is_the_gaussian_of_the_product_of_densities():
    rng = np.random.default_rng(0)
    means, precisions = rng.normal(size=(1, 3, 1)), rng.uniform(0.5, 2, size=(1, 3, 1))
    for part in (slice(0, 1), slice(0, 3)):
        mean, precision = product_of_gaussians(jnp.asarray(means[:, part]), jnp.asarray(precisions[:, part]))
        z = np.linspace(-2, 2, 7)
        log_density = (-precisions[0, part] * (z - means[0, part]) ** 2 / 2).sum(0)
        difference = log_density + precision[0] * (z - mean[0]) ** 2 / 2
        np.testing.assert_allclose(difference, difference[0], **CLOSE)  # one Gaussian, up to its constant
    alone = product_of_gaussians(means[:, :1], precisions[:, :1])
    np.testing.assert_allclose(alone, (means[:, 0], precisions[:, 0]), **CLOSE)
