"""Plain features of a modality, for models that take vectors: fitted on train, the same for every split."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mmjax.types import Batch, ModalitySpec, Task

MOST_PIXELS = 256  # numbers of an image after averaging blocks of it
FEW_STEPS = 8  # of a sequence that are kept as they are, beside what all its steps are on average
FREQUENT = 2_000  # ids of train whose counts are kept
FRAME, HOP, BANDS = 0.064, 0.032, 16  # seconds, seconds, and mel bands of sound


def fit_features(task: Task, name: str) -> Callable[[Batch], np.ndarray]:
    """The features of a modality: a function of a split to float32 [n, features].

    A vector is itself. An image is the means of its blocks. A sequence, a video frame by frame, is the mean and
    deviation over its steps and FEW_STEPS of them, evenly spaced; sound is so in log-mel bands, a set of points in
    moments. Ids are counted and weighted by their rarity in train (TF-IDF). All are standardised by train. Where the
    modality is absent, all are 0, and if train lacks it anywhere, one more says whether it is there.

    Args:
      task: of which train is read.
      name: of the modality.
    """
    from sklearn.preprocessing import StandardScaler

    spec = next(spec for spec in task.modalities if spec.name == name)
    train = task.splits["train"]
    plain = _plain(spec, train)
    there = train.present[name]
    scaler = StandardScaler().fit(plain(train)[there]) if there.any() else None
    told = not there.all()

    def features(batch: Batch) -> np.ndarray:
        present = batch.present[name]
        values = plain(batch)
        values = np.where(present[:, None], scaler.transform(values) if scaler else values, 0)
        return (np.column_stack([values, present]) if told else values).astype(np.float32)

    return features


def _plain(spec: ModalitySpec, train: Batch) -> Callable[[Batch], np.ndarray]:
    if spec.kind == "tokens":
        return _terms(spec, train)
    of_kind = {
        "vector": lambda batch: _clean(spec, batch),
        "image": lambda batch: _blocks(_clean(spec, batch)),
        "sequence": lambda batch: _steps(_clean(spec, batch), batch.lengths[spec.name]),
        "video": lambda batch: _frames(_clean(spec, batch), batch.lengths[spec.name]),
        "points": lambda batch: _moments(_clean(spec, batch), batch.lengths[spec.name]),
        "waveform": lambda batch: _sound(spec, _clean(spec, batch), batch.lengths[spec.name]),
    }
    return of_kind[spec.kind]


def _clean(spec: ModalitySpec, batch: Batch) -> np.ndarray:
    """The inputs with 0 where the modality is absent, whatever stands there."""
    present = batch.present[spec.name].reshape(-1, *[1] * len(spec.shape))
    return np.where(present, batch.inputs[spec.name], np.float32(0))


def _blocks(images: np.ndarray) -> np.ndarray:
    """Means of blocks of pixels, [n, at most MOST_PIXELS], of [n, height, width, channels]."""
    n, height, width, channels = images.shape
    side = 1
    while side < max(height, width) and -(-height // side) * -(-width // side) * channels > MOST_PIXELS:
        side += 1
    padded = np.pad(images, ((0, 0), (0, -height % side), (0, -width % side), (0, 0)), mode="edge")
    blocks = padded.reshape(n, padded.shape[1] // side, side, padded.shape[2] // side, side, channels)
    return blocks.mean(axis=(2, 4)).reshape(n, -1)


def _steps(values: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Mean and deviation over valid steps, and some of the steps."""
    n, length = values.shape[:2]
    valid = (np.arange(length) < lengths[:, None])[..., None]
    count = np.maximum(lengths, 1)[:, None]
    mean = np.where(valid, values, 0).sum(axis=1) / count
    deviation = np.sqrt(np.where(valid, (values - mean[:, None]) ** 2, 0).sum(axis=1) / count)
    places = np.round(np.linspace(0, 1, min(FEW_STEPS, length)) * np.maximum(lengths - 1, 0)[:, None]).astype(int)
    some = values[np.arange(n)[:, None], places]
    return np.concatenate([mean, deviation, some.reshape(n, -1)], axis=1)


def _frames(values: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    n, length = values.shape[:2]
    return _steps(_blocks(values.reshape(n * length, *values.shape[2:])).reshape(n, length, -1), lengths)


def _moments(values: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Mean, deviation, least and most of each feature over the points."""
    valid = (np.arange(values.shape[1]) < lengths[:, None])[..., None]
    least = np.where(valid, values, np.inf).min(axis=1)
    most = np.where(valid, values, -np.inf).max(axis=1)
    spread = _steps(values, lengths)[:, : 2 * values.shape[2]]
    return np.concatenate([spread, *(np.where(np.isfinite(edge), edge, 0) for edge in (least, most))], axis=1)


def _sound(spec: ModalitySpec, values: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    from mmjax.layers.spectrogram import log_mel, mel_filters

    frame = min(2 * max(1, round(FRAME * spec.rate / 2)), 2 * (values.shape[1] // 2))
    hop = max(1, round(HOP * spec.rate))
    mel = np.asarray(log_mel(values, mel_filters(spec.rate, frame, BANDS), hop))
    return _steps(mel, np.clip(1 + (lengths - frame) // hop, 1, mel.shape[1]))


def _terms(spec: ModalitySpec, train: Batch) -> Callable[[Batch], np.ndarray]:
    """Counts of frequent ids, weighted by rarity."""
    from sklearn.feature_extraction.text import TfidfTransformer

    counts = _counts(spec, train)
    kept = np.sort(np.argsort(-np.asarray((counts > 0).sum(axis=0)).ravel(), kind="stable")[:FREQUENT])
    weights = TfidfTransformer(sublinear_tf=True).fit(counts[:, kept])
    return lambda batch: weights.transform(_counts(spec, batch)[:, kept]).toarray()


def _counts(spec: ModalitySpec, batch: Batch):
    """How often each id occurs, sparse [n, vocabulary]; padding and absent examples count nothing."""
    from scipy.sparse import csr_array

    valid = np.arange(spec.shape[0]) < batch.lengths[spec.name][:, None]
    rows, places = np.nonzero(valid & batch.present[spec.name][:, None])
    ids = batch.inputs[spec.name][rows, places]
    return csr_array((np.ones(len(rows)), (rows, ids)), shape=(batch.size, spec.vocabulary))
