"""`avdigits` and `avdigits/clean` under the project's protocol."""

from __future__ import annotations

import numpy as np

from mmjax.data.avdigits.raw import CLASSES, CLEAN_SOURCES, HARD_SOURCES, VERSION
from mmjax.data.columns import load_columns
from mmjax.types import SPLITS, Batch, ModalitySpec, TargetSpec, Task


def load(data_dir: str | None, cache_dir: str) -> Task:
    """Each modality made hard: the image keeps 25% of its energy, the speech lies in louder noise."""
    return _task("avdigits", "hard", HARD_SOURCES, data_dir, cache_dir)


def load_clean(data_dir: str | None, cache_dir: str) -> Task:
    """Images and speech as they are."""
    return _task("avdigits/clean", "clean", CLEAN_SOURCES, data_dir, cache_dir)


def _task(name: str, config: str, sources: tuple, data_dir: str | None, cache_dir: str) -> Task:
    def make_builder(folder: str):
        from mmjax.data.avdigits.avdigits_dataset_builder import Builder

        return Builder(data_dir=folder, config=config)

    features = ("image", "audio", "label")
    columns = load_columns(make_builder, f"avdigits-{config}-{VERSION}", features, sources, data_dir, cache_dir)
    train = columns.splits["train"]
    return Task(
        name=name,
        modalities=(
            ModalitySpec("image", "image", train["image"].shape[1:]),
            ModalitySpec("audio", "sequence", train["audio"].shape[1:]),
        ),
        target=TargetSpec("multiclass", CLASSES),
        splits={split: _batch(columns.splits[split]) for split in SPLITS},
        class_names=tuple(str(digit) for digit in range(CLASSES)),
        source="MNIST, Free Spoken Digit Dataset" + (", ESC-10 noise" if config == "hard" else ""),
        fingerprint=columns.fingerprint,
    )


def _batch(columns: dict[str, np.ndarray]) -> Batch:
    n, frames = columns["audio"].shape[:2]
    return Batch(
        inputs={name: columns[name] for name in ("image", "audio")},
        lengths={"audio": np.full(n, frames, np.int32)},
        present={name: np.ones(n, bool) for name in ("image", "audio")},
        target=columns["label"].astype(np.int32),
        weight=np.ones(n, np.float32),
    )
