"""Small random tasks, for whatever must run in a second."""

import numpy as np

from mmjax.types import Batch, ModalitySpec, TargetSpec, Task

SPECS = (
    ModalitySpec("speech", "sequence", (6, 4)),
    ModalitySpec("table", "vector", (5,)),
    ModalitySpec("scan", "image", (6, 6, 1)),
    ModalitySpec("words", "tokens", (7,), vocabulary=11),
    ModalitySpec("blood", "vector", (3,)),
    ModalitySpec("genes", "vector", (8,)),
)


def random_batch(modalities, target: TargetSpec, size: int, seed: int = 0, missing: bool = False) -> Batch:
    """Random examples in which the target depends on every modality; some rows lack some modality if `missing`."""
    rng = np.random.default_rng(seed)
    inputs, lengths, present, signal = {}, {}, {}, 0.0
    for spec in modalities:
        if spec.kind == "tokens":
            x = rng.integers(1, spec.vocabulary, (size, *spec.shape)).astype(np.int32)
        else:
            x = rng.normal(size=(size, *spec.shape)).astype(np.float32)
        if spec.has_length:
            length = rng.integers(2, spec.shape[0] + 1, size).astype(np.int32)
            x[np.arange(spec.shape[0]) >= length[:, None]] = 0
            lengths[spec.name] = length
        inputs[spec.name] = x
        present[spec.name] = rng.random(size) > 0.3 if missing else np.ones(size, bool)
        signal = signal + x.reshape(size, -1)[:, :3] @ rng.normal(size=3) / max(spec.vocabulary, 1)
    if missing:
        present[modalities[0].name] |= ~np.any(list(present.values()), axis=0)
    if target.kind == "multiclass":
        edges = np.quantile(signal, np.linspace(0, 1, target.size + 1)[1:-1])
        truth = np.digitize(signal, edges).astype(np.int32)
    elif target.kind == "binary":
        truth = (signal > np.median(signal)).astype(np.int32)
    else:
        truth = np.stack([signal + rng.normal(size=size) for _ in range(target.size)], axis=1).astype(np.float32)
        truth = (truth > 0).astype(np.float32) if target.kind == "multilabel" else truth
    return Batch(inputs, lengths, present, truth, np.ones(size, np.float32))


def small_task(modalities=SPECS[:2], target=TargetSpec("multiclass", 3), sizes=(24, 12, 10), missing=False) -> Task:
    """A task of a few examples, for whatever must run in a second."""
    splits = {
        split: random_batch(modalities, target, size, seed, missing)
        for seed, (split, size) in enumerate(zip(("train", "validation", "test"), sizes, strict=True))
    }
    return Task("small", tuple(modalities), target, splits)
