"""The PyTorch peer does the work that ours is measured against."""

import numpy as np
import pytest
from scipy import special

torch = pytest.importorskip("torch", reason="the peers are an optional extra")

from benchmarks.peers import torch_tmc  # noqa: E402


def dirichlets(*shape):
    return torch.from_numpy(1 + np.random.default_rng(0).gamma(1.0, 4.0, shape))


@pytest.mark.parametrize("views", [2, 3, 6])
def test_pairwise_rule_has_the_closed_form(views):
    # 1 + e/K is the product over views of 1 + e_i/K; float64 leaves rounding of about 1e-15 an operation.
    alphas, classes = dirichlets(views, 5, 4), 4
    fused = alphas[0]
    for alpha in alphas[1:]:
        fused = torch_tmc.combine(fused, alpha)
    expected = torch.prod(1 + (alphas - 1) / classes, dim=0)
    torch.testing.assert_close(1 + (fused - 1) / classes, expected, rtol=1e-9, atol=0)


def test_a_view_without_evidence_changes_nothing():
    alpha = dirichlets(5, 4)
    torch.testing.assert_close(torch_tmc.combine(alpha, torch.ones_like(alpha)), alpha)


def test_loss_by_the_definition_of_its_two_terms():
    alpha = np.array([[3.0, 1.5, 2.0]])
    expectation = special.digamma(6.5) - special.digamma(1.5)
    # Without its own evidence, the true class's parameter is 1; the divergence of Dir(3, 1, 2) from Dir(1, 1, 1).
    wrong = np.array([3.0, 1.0, 2.0])
    divergence = special.gammaln(6) - special.gammaln(3) - special.gammaln(wrong).sum()
    divergence += ((wrong - 1) * (special.digamma(wrong) - special.digamma(6))).sum()
    found = torch_tmc.loss_of(torch.from_numpy(alpha), torch.tensor([1]), annealing=0.3)
    assert found.item() == pytest.approx(expectation + 0.3 * divergence)


def test_it_learns_what_can_be_learned():
    random = np.random.default_rng(0)
    labels = np.arange(120) % 3
    views = [np.eye(3)[labels] + 0.1 * random.normal(size=(120, 3)) for _ in range(2)]
    trained = torch_tmc.train(views, labels, epochs=8, batch_size=20, seed=0, learning_rate=0.1)
    assert np.mean(trained.predict(views).argmax(1) == labels) > 0.95
    assert len(trained.epoch_seconds) == 8 and trained.samples_per_second > 0
