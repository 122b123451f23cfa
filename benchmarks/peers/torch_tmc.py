"""TMC in PyTorch: a loop over batches, and Dempster's rule for two views at a time.

Written from the paper's equations, in the way its authors train. Batches are slices of a
shuffled index, which is faster than a DataLoader that collects examples one by one.

References: Han, Zhang, Fu and Zhou, Trusted Multi-View Classification, ICLR 2021.
"""

import time
from collections.abc import Sequence

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from benchmarks.peers.trained import Trained

KL_EPOCHS = 50


class TMC(nn.Module):
    """A linear head a view, whose softplus is the view's evidence for each class."""

    def __init__(self, sizes: Sequence[int], classes: int):
        super().__init__()
        self.heads = nn.ModuleList(nn.Linear(size, classes) for size in sizes)

    def forward(self, views: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        """Views [B, d_i] to Dirichlet parameters [B, K]: one a view, then the fused one."""
        alphas = [functional.softplus(head(view)) + 1 for head, view in zip(self.heads, views, strict=True)]
        fused = alphas[0]
        for alpha in alphas[1:]:
            fused = combine(fused, alpha)
        return [*alphas, fused]


def combine(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Dempster's reduced rule on two Dirichlet parameters [B, K] (the paper's definition 4)."""
    classes = first.shape[1]
    strengths = [alpha.sum(1, keepdim=True) for alpha in (first, second)]
    belief_1, belief_2 = ((alpha - 1) / strength for alpha, strength in zip((first, second), strengths, strict=True))
    doubt_1, doubt_2 = (classes / strength for strength in strengths)
    products = torch.bmm(belief_1.unsqueeze(2), belief_2.unsqueeze(1))
    conflict = products.sum((1, 2)) - torch.diagonal(products, dim1=1, dim2=2).sum(1)
    agreement = (1 - conflict).unsqueeze(1)
    belief = (belief_1 * belief_2 + belief_1 * doubt_2 + belief_2 * doubt_1) / agreement
    strength = classes * agreement / (doubt_1 * doubt_2)
    return belief * strength + 1


def loss_of(alpha: torch.Tensor, labels: torch.Tensor, annealing: float) -> torch.Tensor:
    """Expected cross-entropy under Dir(alpha), and the annealed divergence of wrong evidence from none, [B]."""
    classes = alpha.shape[1]
    truth = functional.one_hot(labels, classes)
    strength = alpha.sum(1, keepdim=True)
    cross_entropy = (truth * (torch.digamma(strength) - torch.digamma(alpha))).sum(1)
    wrong = truth + (1 - truth) * alpha
    total = wrong.sum(1, keepdim=True)
    spread = torch.lgamma(total).squeeze(1) - torch.lgamma(torch.tensor(float(classes))) - torch.lgamma(wrong).sum(1)
    divergence = spread + ((wrong - 1) * (torch.digamma(wrong) - torch.digamma(total))).sum(1)
    return cross_entropy + annealing * divergence


def train(
    views: Sequence[np.ndarray], labels: np.ndarray, epochs: int, batch_size: int, seed: int,
    learning_rate: float = 3e-4, weight_decay: float = 1e-5,
) -> Trained:  # fmt: skip
    """Trains a model of views [n, d_i] on labels [n], and times each epoch."""
    torch.manual_seed(seed)
    inputs = [torch.from_numpy(np.asarray(view, np.float32)) for view in views]
    truth = torch.from_numpy(np.asarray(labels, np.int64))
    model = TMC([view.shape[1] for view in views], int(truth.max()) + 1)
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate, weight_decay=weight_decay)
    seconds = []
    for epoch in range(1, epochs + 1):
        started = time.perf_counter()
        annealing = min(1.0, epoch / KL_EPOCHS)
        for rows in torch.randperm(len(truth)).split(batch_size):
            alphas = model([view[rows] for view in inputs])
            loss = sum(loss_of(alpha, truth[rows], annealing) for alpha in alphas).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        seconds.append(time.perf_counter() - started)

    @torch.no_grad()
    def predict(views: Sequence[np.ndarray]) -> np.ndarray:
        return model([torch.from_numpy(np.asarray(view, np.float32)) for view in views])[-1].numpy()

    return Trained(predict, len(truth), seconds)
