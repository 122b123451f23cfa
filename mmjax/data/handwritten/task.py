"""`handwritten` under the project's protocol, and `handwritten/tmc` under the paper's."""

from __future__ import annotations

import numpy as np

from mmjax.data.columns import load_columns
from mmjax.data.handwritten.views import CLASSES, SOURCES, VERSION, VIEWS
from mmjax.types import Batch, ModalitySpec, TargetSpec, Task

VALIDATION, MONITOR = 0.2, 0.1  # share of the shipped train split
SEED = 0  # of the cut


def load(data_dir: str | None, cache_dir: str) -> Task:
    """Train 1,280, validation 320 cut from the shipped train split by class, test 400.

    Features are standardised by the mean and deviation of train.
    """
    from sklearn.preprocessing import StandardScaler

    return _task("handwritten", data_dir, cache_dir, StandardScaler, VALIDATION, keep_in_train=False)


def load_tmc(data_dir: str | None, cache_dir: str) -> Task:
    """The shipped split, 1,600 to 400, features scaled by the minimum and maximum of train.

    The protocol reports the last epoch and chooses nothing, so `validation` is 160 examples
    that are in train too: good to watch, not to choose by. The authors' code scales test by
    test's own minimum and maximum; here train's serve both.

    Source: Han et al. 2021, Trusted Multi-View Classification, and its code's data.py.
    """
    from sklearn.preprocessing import MinMaxScaler

    return _task("handwritten/tmc", data_dir, cache_dir, MinMaxScaler, MONITOR, keep_in_train=True)


def _task(name: str, data_dir: str | None, cache_dir: str, scaler: type, share: float, keep_in_train: bool) -> Task:
    from sklearn.model_selection import train_test_split

    features = (*VIEWS, "label")
    shipped = load_columns(_make_builder, f"handwritten-{VERSION}", features, SOURCES, data_dir, cache_dir).splits
    labels = shipped["train"]["label"]
    rest, held_out = train_test_split(np.arange(len(labels)), test_size=share, stratify=labels, random_state=SEED)
    train = np.arange(len(labels)) if keep_in_train else np.sort(rest)
    rows = {
        "train": (shipped["train"], train),
        "validation": (shipped["train"], np.sort(held_out)),
        "test": (shipped["test"], np.arange(len(shipped["test"]["label"]))),
    }
    scalers = {view: scaler().fit(shipped["train"][view][train].astype(np.float64)) for view in VIEWS}
    return Task(
        name=name,
        modalities=tuple(ModalitySpec(view, "vector", (width,)) for view, width in VIEWS.items()),
        target=TargetSpec("multiclass", CLASSES),
        splits={split: _batch(columns, index, scalers) for split, (columns, index) in rows.items()},
        class_names=tuple(str(digit) for digit in range(CLASSES)),
        source="UCI Multiple Features, split of github.com/hanmenghan/TMC",
    )


def _make_builder(data_dir: str):
    from mmjax.data.handwritten.handwritten_dataset_builder import Builder

    return Builder(data_dir=data_dir)


def _batch(columns: dict[str, np.ndarray], index: np.ndarray, scalers: dict) -> Batch:
    inputs = {view: scaler.transform(columns[view][index].astype(np.float64)) for view, scaler in scalers.items()}
    return Batch(
        inputs={view: values.astype(np.float32) for view, values in inputs.items()},
        lengths={},
        present={view: np.ones(len(index), bool) for view in scalers},
        target=columns["label"][index].astype(np.int32),
        weight=np.ones(len(index), np.float32),
    )
