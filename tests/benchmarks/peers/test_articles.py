"""The article's worked example in both frameworks has the article's layers, and learns."""

import importlib.util

import numpy as np
import pytest

if not all(map(importlib.util.find_spec, ("torch", "keras"))):
    pytest.skip("the peers are an optional extra", allow_module_level=True)

from benchmarks.peers import keras_article, torch_article  # noqa: E402

TOKENS = 6
# Conv2D 3x3x1x32 with biases; two embeddings; two LSTMs of four gates; the last layer.
TABLES, CELLS = 2 * 10_000 * 128, 2 * 4 * 64 * (128 + 64 + 1)
ARTICLE = (9 + 1) * 32 + TABLES + CELLS + (26 * 26 * 32 + 128 + 1)


def cases(examples):
    random = np.random.default_rng(0)
    labels = np.arange(examples) % 2
    image = random.random((examples, 28, 28, 1)) * (2 * labels[:, None, None, None] - 1)
    return [image, *random.integers(1, 10_000, (2, examples, TOKENS))], labels


def test_parameters_are_the_articles():
    assert keras_article.build(TOKENS).count_params() == ARTICLE
    # PyTorch's LSTM has a second bias for each gate, which adds to the first.
    assert sum(p.numel() for p in torch_article.Article().parameters()) == ARTICLE + 2 * 4 * 64


@pytest.mark.parametrize("peer", [torch_article, keras_article], ids=["torch", "keras"])
def test_it_learns_what_can_be_learned(peer):
    inputs, labels = cases(64)
    trained = peer.train(inputs, labels, epochs=4, batch_size=16, seed=0)
    scores = trained.predict(inputs)
    assert scores.shape == (64, 1)
    assert np.mean((scores[:, 0] > 0.5) == labels) > 0.95
    assert trained.examples == 64 and len(trained.epoch_seconds) == 4


def test_the_articles_validation_part_is_not_trained_on():
    inputs, labels = cases(20)
    trained = keras_article.train(inputs, labels, epochs=1, batch_size=16, seed=0, validation_split=0.2)
    assert trained.examples == 16 and trained.samples_per_second > 0
