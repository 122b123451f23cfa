"""Attention against NumPy; masks, gradients and counts of the block around it, and of many blocks side by side."""

import jax
import numpy as np
import pytest

from mmjax.layers.attention import MultiHeadAttention, ParallelBlocks, Tokens, TransformerBlock

B, Tq, Tk, D, HEADS = 3, 4, 5, 8, 2
RANDOM = np.random.default_rng(0)
QUERIES = RANDOM.normal(size=(B, Tq, D)).astype(np.float32)
KEYS = RANDOM.normal(size=(B, Tk, 6)).astype(np.float32)
MASK = np.arange(Tk) < np.array([5, 2, 0])[:, None]
ALL = np.ones((B, Tq), bool)
ATTENTION = MultiHeadAttention(D, HEADS)
BLOCK = TransformerBlock(D, HEADS)


def randomised(variables):
    """Every parameter random: some begin at zero, where their gradients may hide."""
    leaves, structure = jax.tree.flatten(variables)
    return structure.unflatten([RANDOM.normal(size=leaf.shape).astype(np.float32) * 0.5 for leaf in leaves])


ATTENTION_VARIABLES = randomised(ATTENTION.init(jax.random.key(0), QUERIES, KEYS, MASK))
CROSS_VARIABLES = randomised(BLOCK.init(jax.random.key(0), QUERIES, ALL, False, KEYS, MASK))
SELF_VARIABLES = randomised(BLOCK.init(jax.random.key(0), QUERIES, ALL, False))


def test_attention_is_the_equation():
    p = jax.tree.map(np.float64, ATTENTION_VARIABLES["params"])
    outputs = ATTENTION.apply(ATTENTION_VARIABLES, QUERIES, KEYS, MASK)
    for b, keys in enumerate([5, 2]):
        gathered = np.zeros((Tq, HEADS, D // HEADS))
        for h in range(HEADS):
            q = QUERIES[b] @ p["query"]["kernel"][:, h] + p["query"]["bias"][h]
            k = KEYS[b, :keys] @ p["key"]["kernel"][:, h]
            v = KEYS[b, :keys] @ p["value"]["kernel"][:, h] + p["value"]["bias"][h]
            weights = np.exp(q @ k.T / np.sqrt(D // HEADS))
            gathered[:, h] = weights / weights.sum(1, keepdims=True) @ v
        expected = np.einsum("qhd,hde->qe", gathered, p["output"]["kernel"]) + p["output"]["bias"]
        # Float32 against float64, numbers up to 10 through three products.
        np.testing.assert_allclose(outputs[b], expected, atol=2e-5)


def test_without_a_valid_key_the_output_is_zero():
    np.testing.assert_array_equal(ATTENTION.apply(ATTENTION_VARIABLES, QUERIES, KEYS, MASK)[2], 0)


def test_masked_keys_do_not_matter_nor_have_a_gradient():
    def loss(keys):
        return (BLOCK.apply(CROSS_VARIABLES, QUERIES, ALL, False, keys, MASK) ** 2).sum()

    changed = np.where(MASK[:, :, None], KEYS, 7)
    np.testing.assert_allclose(loss(changed), loss(KEYS), rtol=1e-6)
    gradient = jax.grad(loss)(KEYS)
    assert np.isfinite(gradient).all() and (gradient[~MASK] == 0).all() and (gradient[MASK] != 0).all()


def test_masked_steps_of_a_self_attending_block_do_not_matter():
    mask = np.arange(Tq) < np.array([4, 2, 1])[:, None]
    changed = np.where(mask[:, :, None], QUERIES, 7)
    one, other = (BLOCK.apply(SELF_VARIABLES, values, mask, False) for values in (QUERIES, changed))
    np.testing.assert_allclose(one[mask], other[mask], atol=1e-6)


@pytest.mark.parametrize("context", [(), (KEYS, MASK)])
def test_every_parameter_gets_a_gradient(context):
    variables = CROSS_VARIABLES if context else SELF_VARIABLES
    gradient = jax.grad(lambda v: (BLOCK.apply(v, QUERIES, ALL, False, *context) ** 2).sum())(variables)
    for path, leaf in jax.tree_util.tree_leaves_with_path(gradient):
        assert np.abs(leaf).max() > 1e-4, jax.tree_util.keystr(path)


def test_parameters():
    """Four projections (the keys' without a bias), two norms, an mlp of twice the width; a third norm for a context."""
    own = D * D * 4 + 3 * D + 2 * 2 * D + (D * 2 * D + 2 * D) + (2 * D * D + D)
    assert sum(leaf.size for leaf in jax.tree.leaves(SELF_VARIABLES)) == own
    cross = own - 2 * D * D + 2 * 6 * D + 2 * 6
    assert sum(leaf.size for leaf in jax.tree.leaves(CROSS_VARIABLES)) == cross


def test_dropout_acts_in_training_alone():
    block = TransformerBlock(D, HEADS, dropout=0.5)
    still = block.apply(SELF_VARIABLES, QUERIES, ALL, False)
    shaken = block.apply(SELF_VARIABLES, QUERIES, ALL, True, rngs={"dropout": jax.random.key(0)})
    np.testing.assert_array_equal(still, BLOCK.apply(SELF_VARIABLES, QUERIES, ALL, False))
    assert (np.abs(shaken - still) > 1e-3).any()


def parallel(cross):
    """Three blocks of which two have inputs of one shape, their random parameters, sequences and contexts."""
    sequences = [Tokens(QUERIES, ALL), Tokens(QUERIES[:, :2], ALL[:, :2]), Tokens(-QUERIES, ALL)]
    contexts = [Tokens(KEYS, MASK), Tokens(KEYS[:, :3], MASK[:, :3]), Tokens(KEYS**2, MASK)] if cross else None
    blocks = ParallelBlocks(D, HEADS)
    return blocks, randomised(blocks.init(jax.random.key(0), sequences, False, contexts)), sequences, contexts


@pytest.mark.parametrize("cross", [False, True])
def test_blocks_side_by_side_are_the_blocks_one_by_one(cross):
    blocks, variables, sequences, contexts = parallel(cross)
    together = jax.jit(lambda v: blocks.apply(v, sequences, False, contexts))(variables)
    for p, (sequence, found) in enumerate(zip(sequences, together)):
        own = {"params": jax.tree.map(lambda leaf: leaf[p], variables["params"]["blocks"])}  # noqa: B023
        alone = BLOCK.apply(own, *sequence, False, *(contexts[p] if cross else ()))
        # The same sums of some ten float32 terms of order 10, in another order.
        np.testing.assert_allclose(found.values, alone, atol=1e-4)
        np.testing.assert_array_equal(found.mask, sequence.mask)


def test_blocks_side_by_side_start_apart():
    sequences = [Tokens(QUERIES, ALL)] * 2
    kernel = ParallelBlocks(D, HEADS).init(jax.random.key(0), sequences, False)["params"]["blocks"]["expand"]["kernel"]
    correlation = np.corrcoef(kernel[0].ravel(), kernel[1].ravel())[0, 1]
    # Of 128 independent draws: six standard deviations.
    assert abs(correlation) < 6 / np.sqrt(kernel[0].size)


def test_blocks_side_by_side_drop_out_apart():
    """Two blocks that are the same, on the same sequence, differ in training alone."""
    blocks = ParallelBlocks(D, HEADS, dropout=0.5)
    twins = {"params": {"blocks": jax.tree.map(lambda leaf: np.stack([leaf] * 2), SELF_VARIABLES["params"])}}
    sequences = [Tokens(QUERIES, ALL)] * 2
    still = blocks.apply(twins, sequences, False)
    np.testing.assert_array_equal(still[0].values, still[1].values)
    shaken = blocks.apply(twins, sequences, True, rngs={"dropout": jax.random.key(0)})
    assert (np.abs(shaken[0].values - shaken[1].values) > 1e-3).any()
