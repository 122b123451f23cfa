"""The founding article's worked example in PyTorch.

An image through Conv2d(32, 3x3), ReLU and flatten; text and audio each through an embedding of
128 and an LSTM of 64; all concatenated into one logit; Adam and binary cross-entropy.
"""

import time
from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from benchmarks.peers.trained import Trained

VOCABULARY = 10_000


class Reader(nn.Module):
    """Ids [B, T] to the last state [B, 64] of an LSTM."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, 128)
        self.lstm = nn.LSTM(128, 64, batch_first=True)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return self.lstm(self.embedding(ids))[1][0][0]


class Article(nn.Module):
    """Image [B, 28, 28, 1], text [B, T] and audio [B, T] to one logit [B]."""

    def __init__(self):
        super().__init__()
        self.image = nn.Sequential(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Flatten())
        self.text, self.audio = Reader(), Reader()
        self.output = nn.Linear(26 * 26 * 32 + 64 + 64, 1)

    def forward(self, image: torch.Tensor, text: torch.Tensor, audio: torch.Tensor) -> torch.Tensor:
        features = [self.image(image.permute(0, 3, 1, 2)), self.text(text), self.audio(audio)]
        return self.output(torch.cat(features, 1)).squeeze(1)


def train(inputs: Sequence[np.ndarray], labels: np.ndarray, epochs: int, batch_size: int, seed: int) -> Trained:
    """Trains on an image, a text and an audio of each example, and times each epoch."""
    torch.manual_seed(seed)
    tensors = _tensors(inputs)
    truth = torch.from_numpy(np.asarray(labels, np.float32))
    model = Article()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    criterion = nn.BCEWithLogitsLoss()
    seconds = []
    for _ in range(epochs):
        started = time.perf_counter()
        for rows in torch.randperm(len(truth)).split(batch_size):
            loss = criterion(model(*(tensor[rows] for tensor in tensors)), truth[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        seconds.append(time.perf_counter() - started)

    @torch.no_grad()
    def predict(inputs: Sequence[np.ndarray]) -> np.ndarray:
        return torch.sigmoid(model(*_tensors(inputs)))[:, None].numpy()

    return Trained(predict, len(truth), seconds)


def _tensors(inputs: Sequence[np.ndarray]) -> list[torch.Tensor]:
    image, *tokens = inputs
    kinds = [np.float32, *[np.int64] * len(tokens)]
    return [torch.from_numpy(np.asarray(x, kind)) for x, kind in zip([image, *tokens], kinds, strict=True)]
