"""Every fusion on sequences against its equation in float64 NumPy, example by example.

The batch is padded, with NaN, and lacks modalities; the equations see valid steps alone. So they also
say that padding is never read, and what an absent modality means.
"""

import jax
import numpy as np
import pytest

from mmjax.fusion import Bottleneck, CoAttention, CrossAttention, Hierarchical, MulT, Perceiver, TokenTransformer

D, LAYERS = 4, 2
SIZES = {"width": D, "heads": 2}


@pytest.fixture
def compare(float64, sequences, examples, random_parameters, reference):
    """Asserts F = equation(parameters, projected tokens by modality) for every example."""

    def compare(module, equation):
        p = random_parameters(module, *sequences)
        found = jax.jit(lambda p: module.apply({"params": p}, *sequences))(p)
        for row, example in enumerate(examples):
            tokens = {name: reference.dense(p[f"project_{name}"], steps) for name, steps in example.items()}
            # A hundred roundings of 1e-16 on numbers up to some hundreds.
            np.testing.assert_allclose(found[row], equation(p, tokens), rtol=1e-9, atol=1e-9)

    return compare


def mean(steps):
    return steps.mean(0) if len(steps) else np.zeros(steps.shape[1])


def last(steps):
    return steps[-1] if len(steps) else np.zeros(steps.shape[1])


def test_token_transformer(compare, reference):
    def equation(p, tokens):
        x = np.concatenate([p["class"], *tokens.values()])
        for layer in range(LAYERS):
            x = reference.block(p[f"block_{layer}"], x)
        return reference.norm(p["norm"], x[0])

    compare(TokenTransformer(**SIZES, fusion_layers=LAYERS), equation)


def test_cross_attention(compare, reference):
    def equation(p, tokens):
        pairs = [(tokens[a], tokens[b]) for a in tokens for b in tokens if a != b]
        blocks = [reference.of(p["pairs"], index) for index in range(6)]
        return np.concatenate([mean(reference.block(q, a, b, True)) for q, (a, b) in zip(blocks, pairs, strict=True)])

    compare(CrossAttention(**SIZES), equation)


def test_mult(compare, reference):
    """Every layer of a stream reads the same low-level sequence; F takes the last valid step."""

    def equation(p, tokens):
        parts = []
        for index, target in enumerate(tokens):
            streams = []
            for place, source in enumerate(name for name in tokens if name != target):
                x = tokens[target]
                for layer in range(LAYERS):
                    q = reference.of(p[f"cross_{layer}"], 2 * index + place)
                    x = reference.block(q, x, tokens[source], True)
                streams.append(x)
            x = np.concatenate(streams, axis=1)
            for layer in range(LAYERS):
                x = reference.block(reference.of(p[f"self_{layer}"], index), x, optional=True)
            parts.append(last(x))
        return np.concatenate(parts)

    compare(MulT(**SIZES, fusion_layers=LAYERS), equation)


def test_coattention(compare, reference):
    """All streams read what the layer before left of the others, none what this layer makes of them."""

    def equation(p, tokens):
        streams = list(tokens.values())
        for layer in range(LAYERS):
            before = streams
            streams = []
            for i, x in enumerate(before):
                others = np.concatenate([other for j, other in enumerate(before) if j != i])
                x = reference.block(reference.of(p[f"cross_{layer}"], i), x, others, True)
                streams.append(reference.block(reference.of(p[f"self_{layer}"], i), x, optional=True))
        return np.concatenate([mean(x) for x in streams])

    compare(CoAttention(**SIZES, fusion_layers=LAYERS), equation)


@pytest.mark.parametrize("fusion_layer", [0, 1, 2])
def test_bottleneck(compare, reference, fusion_layer):
    """All modalities read the same old Z; the new one and F are means over those present."""

    def equation(p, tokens):
        streams = {name: np.concatenate([p[f"class_{name}"], steps]) for name, steps in tokens.items()}
        present = [name for name, steps in tokens.items() if len(steps)]
        if not present:
            return np.zeros(D)
        z = p.get("bottleneck")
        for layer in range(LAYERS):
            made = []
            for i, name in enumerate(streams):
                q = reference.of(p[f"blocks_{layer}"], i)
                if layer < fusion_layer:
                    streams[name] = reference.block(q, streams[name])
                    continue
                x = reference.block(q, np.concatenate([z, streams[name]]))
                streams[name] = x[3:]
                made += [x[:3]] if name in present else []
            z = np.mean(made, axis=0) if made else z
        return np.mean([reference.norm(p[f"norm_{name}"], streams[name][0]) for name in present], axis=0)

    compare(Bottleneck(**SIZES, fusion_layers=LAYERS, fusion_layer=fusion_layer, bottleneck_tokens=3), equation)


def test_perceiver(compare, reference):
    def equation(p, tokens):
        every, latents = np.concatenate(list(tokens.values())), p["latents"]
        for turn in range(2):
            latents = reference.block(p[f"read_{turn}"], latents, every)
            for layer in range(2):
                latents = reference.block(p[f"think_{turn}_{layer}"], latents)
        return mean(reference.norm(p["norm"], latents))

    compare(Perceiver(**SIZES, latents=3, latent_layers=2, perceiver_rounds=2), equation)


def test_hierarchical(compare, reference):
    """One stream over all, then one a modality, then one query over these."""

    def equation(p, tokens):
        joint = np.concatenate(list(tokens.values()))
        if len(joint):
            for layer in range(LAYERS):
                joint = reference.block(p[f"joint_{layer}"], joint)
        parts = np.split(joint, np.cumsum([len(steps) for steps in tokens.values()])[:-1])
        streams = [reference.block(reference.of(p["streams"], i), x, optional=True) for i, x in enumerate(parts)]
        answer = reference.block(p["read"], p["query"], np.concatenate(streams))
        return reference.norm(p["norm"], answer[0])

    compare(Hierarchical(**SIZES, fusion_layers=LAYERS), equation)
