"""Pairs of a digit's image and its spoken name, as TFDS prepares them."""

import dataclasses

import numpy as np
import tensorflow_datasets as tfds
from sklearn.preprocessing import StandardScaler

from mmjax.data import sources
from mmjax.data.avdigits import degrade, log_mel, pairing, raw

CHUNK = 500  # waveforms transformed at once


@dataclasses.dataclass
class PairConfig(tfds.core.BuilderConfig):
    """`noisy` speech and images of reduced energy, or both as they are."""

    noisy: bool = True


class Builder(tfds.core.GeneratorBasedBuilder):
    """Builder of `avdigits`: 54,000 train, 6,000 validation and 10,000 test pairs."""

    VERSION = tfds.core.Version(raw.VERSION)
    RELEASE_NOTES = {"1.0.0": "MNIST paired with FSDD, in ESC-10 noise or clean."}
    BUILDER_CONFIGS = [
        PairConfig(
            name="hard", description="Images keep 25% of their energy; speech lies in louder noise.", noisy=True
        ),
        PairConfig(name="clean", description="Images and speech untouched.", noisy=False),
    ]
    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        f"Put MNIST's four idx files, {raw.FSDD_FILE} and, for config hard, {raw.NOISE_FILE} there; "
        "all but the last are downloaded where they are missing."
    )

    def __init__(self, *, file_format: str = "array_record", **kwargs):
        super().__init__(file_format=file_format, **kwargs)  # TFDS's own default needs TensorFlow

    def _info(self) -> tfds.core.DatasetInfo:
        features = {
            "image": tfds.features.Tensor(shape=(raw.SIDE, raw.SIDE, 1), dtype=np.float32, encoding="bytes"),
            "audio": tfds.features.Tensor(shape=(log_mel.FRAMES, log_mel.BANDS), dtype=np.float32, encoding="bytes"),
            "label": tfds.features.ClassLabel(num_classes=raw.CLASSES),
            "recording": tfds.features.Text(doc="<digit>_<speaker>_<take> of FSDD"),
        }
        if self.builder_config.noisy:
            features["noise"] = tfds.features.Text(doc="clip of ESC-10; its first number is its fold")
            features["snr"] = tfds.features.Tensor(shape=(), dtype=np.float32, doc="decibels")
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(features), homepage=raw.FSDD_URL, disable_shuffling=True
        )

    def _split_generators(self, dl_manager):
        noisy = self.builder_config.noisy
        paths = sources.fetch(dl_manager, raw.HARD_SOURCES if noisy else raw.CLEAN_SOURCES, self.url_infos)
        recordings = raw.read_recordings(paths[raw.FSDD_FILE])
        noises = raw.read_noises(paths[raw.NOISE_FILE], log_mel.SAMPLES) if noisy else None
        images, labels = _read_splits(paths)
        if noisy:
            components = degrade.fit_energy(images["train"])
            images = {split: degrade.reduce_energy(components, values) for split, values in images.items()}
        splits = {}
        for split in images:
            rows = pairing.pair(labels[split], recordings.labels, recordings.takes, split)
            speech = _speak(recordings, rows, noises, split)
            speech["image"] = images[split].reshape(-1, raw.SIDE, raw.SIDE, 1)
            splits[split] = {**speech, "label": labels[split]}
        bands = StandardScaler().fit(splits["train"]["audio"].reshape(-1, log_mel.BANDS))
        for columns in splits.values():
            audio = columns["audio"]
            columns["audio"] = bands.transform(audio.reshape(-1, log_mel.BANDS)).reshape(audio.shape)
        return {split: self._generate_examples(columns) for split, columns in splits.items()}

    def _generate_examples(self, columns):
        for index in range(len(columns["label"])):
            yield index, {name: column[index] for name, column in columns.items()}


def _read_splits(paths: dict) -> tuple[dict, dict]:
    """split -> images float32 [n, 784] in [0, 1], and split -> labels [n]."""
    shipped = {split: raw.read_digits(*(paths[file] for file in files)) for split, files in raw.MNIST.items()}
    rows = pairing.cut(shipped["train"][1])
    images, labels = {}, {}
    for split in ("train", "validation", "test"):
        values, digits = shipped["test" if split == "test" else "train"]
        chosen = rows.get(split, slice(None))
        images[split] = values[chosen].reshape(-1, raw.SIDE**2).astype(np.float32) / 255
        labels[split] = digits[chosen]
    return images, labels


def _speak(recordings: raw.Recordings, rows: np.ndarray, noises: raw.Noises | None, split: str) -> dict:
    """Log-mel [n, FRAMES, BANDS] of the paired recordings, in noise if there is some, and where each came from."""
    windows, lengths = zip(*(log_mel.window(wave) for wave in recordings.waves), strict=True)
    windows, lengths = np.stack(windows), np.array(lengths)
    columns = {"recording": [recordings.names[row] for row in rows]}
    if noises is None:
        return {**columns, "audio": log_mel.log_mel(windows)[rows]}
    clips, starts, snr = degrade.draw_noise(noises, len(rows), log_mel.SAMPLES, split)
    audio = np.empty((len(rows), log_mel.FRAMES, log_mel.BANDS), np.float32)
    for start in range(0, len(rows), CHUNK):
        chunk = slice(start, start + CHUNK)
        samples = starts[chunk, None] + np.arange(log_mel.SAMPLES)
        noise = noises.waves[clips[chunk, None], samples].astype(np.float32) / 32768
        heard = degrade.add_noise(windows[rows[chunk]], lengths[rows[chunk]], noise, snr[chunk])
        audio[chunk] = log_mel.log_mel(heard)
    return {**columns, "noise": [noises.names[clip] for clip in clips], "snr": snr, "audio": audio}
