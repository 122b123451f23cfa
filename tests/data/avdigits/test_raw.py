"""The raw files of avdigits: what is read, and what is refused."""

import gzip
import io
import zipfile

import numpy as np
import pytest
import scipy.io.wavfile

from mmjax.data.avdigits import raw
from mmjax.errors import InputError

IMAGES, LABELS = raw.MNIST["test"]


def idx(array) -> bytes:
    return gzip.compress(
        bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.tobytes(), mtime=0
    )


@pytest.fixture
def digits(tmp_path):
    """Writes a pair of idx files and reads it."""

    def read(images, labels):
        (tmp_path / IMAGES).write_bytes(images)
        (tmp_path / LABELS).write_bytes(labels)
        return raw.read_digits(tmp_path / IMAGES, tmp_path / LABELS)

    return read


PIXELS = np.arange(3 * 28 * 28, dtype=np.uint8).reshape(3, 28, 28)
CLASSES = np.array([3, 0, 9], np.uint8)


def test_idx_files_are_read(digits):
    images, labels = digits(idx(PIXELS), idx(CLASSES))
    np.testing.assert_array_equal(images, PIXELS)
    np.testing.assert_array_equal(labels, CLASSES)


@pytest.mark.parametrize(
    ("images", "labels", "said"),
    [
        (idx(PIXELS)[:-40], idx(CLASSES), f"{IMAGES} is truncated or not the right file"),
        (b"no gzip", idx(CLASSES), f"{IMAGES} is truncated or not the right file"),
        (idx(CLASSES), idx(CLASSES), f"{IMAGES} is no idx file of bytes with 3 axes"),
        (gzip.compress(gzip.decompress(idx(PIXELS))[:-1]), idx(CLASSES), f"{IMAGES} is truncated"),
        (idx(PIXELS[:, :20]), idx(CLASSES), r"images are \(3, 20, 28\)"),
        (idx(PIXELS), idx(CLASSES[:2]), "holds 3 images and .* 2 labels"),
        (idx(PIXELS), idx(np.array([1, 10, 2], np.uint8)), f"{LABELS}: label in row 1 is 10; accepted are 0 to 9"),
    ],
)
def test_broken_idx_files_are_named(digits, images, labels, said):
    with pytest.raises(InputError, match=said):
        digits(images, labels)


def archive(path, members):
    with zipfile.ZipFile(path, "w") as file:
        for name, (rate, wave) in members.items():
            content = io.BytesIO()
            scipy.io.wavfile.write(content, rate, wave)
            file.writestr(name, content.getvalue())
    return path


def test_recordings_are_read_in_order_whatever_the_archives_folder(tmp_path):
    waves = {name: np.full(5 + i, i, np.int16) for i, name in enumerate(["3_ada_10", "3_ada_9", "0_bob_1"])}
    path = archive(
        tmp_path / "f.zip", {f"any-name/recordings/{name}.wav": (8000, wave) for name, wave in waves.items()}
    )
    recordings = raw.read_recordings(path)
    assert recordings.names == ["0_bob_1", "3_ada_9", "3_ada_10"]
    np.testing.assert_array_equal(recordings.labels, [0, 3, 3])
    np.testing.assert_array_equal(recordings.takes, [1, 9, 10])
    for name, wave in zip(recordings.names, recordings.waves, strict=True):
        np.testing.assert_array_equal(wave, waves[name])


@pytest.mark.parametrize(
    "recording", [(16000, np.zeros(5, np.int16)), (8000, np.zeros((5, 2), np.int16)), (8000, np.zeros(5, np.float32))]
)
def test_recordings_of_another_format_are_refused(tmp_path, recording):
    path = archive(tmp_path / "f.zip", {"a/recordings/1_ada_2.wav": recording})
    with pytest.raises(InputError, match="1_ada_2.wav must be one channel of 16 bits at 8000 Hz"):
        raw.read_recordings(path)


def test_an_archive_without_recordings_is_refused(tmp_path):
    with pytest.raises(InputError, match="holds no recordings"):
        raw.read_recordings(archive(tmp_path / "f.zip", {"a/other/1.wav": (8000, np.zeros(5, np.int16))}))


def test_a_truncated_archive_is_named(dummy, tmp_path):
    content = (dummy("avdigits") / raw.FSDD_FILE).read_bytes()
    (tmp_path / "f.zip").write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match="f.zip is truncated or not the right file"):
        raw.read_recordings(tmp_path / "f.zip")


def noise_arrays():
    return {
        "wave": np.zeros((5, 100), np.int16),
        "fold": np.arange(1, 6),
        "filename": np.array(list("abcde")),
        "sample_rate": np.int32(8000),
    }


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"wave": np.full((5, 100), np.nan, np.float32)}, "wave is float32"),
        ({"wave": np.zeros((5, 99), np.int16)}, r"must be int16 \(n, >= 100\)"),
        ({"sample_rate": np.int32(44100)}, "at 44100 Hz"),
        ({"fold": np.arange(4)}, "have 5, 4 and 5 rows"),
        ({"filename": np.array([None] * 5, object)}, "truncated or not the right file"),
    ],
)
def test_wrong_noises_are_named(tmp_path, change, said):
    np.savez(tmp_path / "n.npz", **{**noise_arrays(), **change})
    with pytest.raises(InputError, match=said):
        raw.read_noises(tmp_path / "n.npz", 100)


def test_noises_without_an_array_are_refused(tmp_path):
    np.savez(tmp_path / "n.npz", wave=np.zeros((5, 100), np.int16))
    with pytest.raises(InputError, match="n.npz is truncated or not the right file .*fold"):
        raw.read_noises(tmp_path / "n.npz", 100)


def write_clip(folder, name, seconds=3.0, rate=16000, loud=1.0):
    import soundfile

    folder.mkdir(parents=True, exist_ok=True)
    times = np.arange(round(seconds * rate)) / rate
    tone = np.sin(2 * np.pi * 440 * times) * np.where(abs(times - loud - 1) < 1, 0.5, 0.01)
    soundfile.write(folder / name, tone, rate, format="OGG", subtype="VORBIS")


def test_upstreams_own_clips_are_cut_where_they_are_loudest(tmp_path):
    write_clip(tmp_path / "001 - Dog bark", "2-7-A.ogg", loud=0.5)
    write_clip(tmp_path / "002 - Rain", "1-17367-A.ogg")
    (tmp_path / "002 - Rain" / "cover.ogg").write_bytes(b"not a clip")
    noises = raw.read_noises(tmp_path, 100)
    assert noises.names == ["1-17367-A.ogg", "2-7-A.ogg"] and noises.folds.tolist() == [1, 2]
    assert noises.waves.shape == (2, 16000) and noises.waves.dtype == np.int16
    # A sine of half the range has an effective value of 0.5 / sqrt(2); Vorbis and the filter cost a few percent.
    effective = np.sqrt((noises.waves / 32768.0) ** 2).mean(axis=1) * np.pi / 2
    np.testing.assert_allclose(effective, 0.5, rtol=0.05)


@pytest.mark.parametrize(
    ("write", "said"),
    [
        (lambda folder: folder.mkdir(exist_ok=True), "holds no <fold>-<id>-<take>.ogg"),
        (
            lambda folder: write_clip(folder, "1-2-A.ogg", seconds=1.0),
            "1-2-A.ogg is 1.00 s long, and must be 2 or more",
        ),
        (lambda folder: (folder / "1-2-A.ogg").write_bytes(b"OggS"), "1-2-A.ogg is truncated"),
    ],
)
def test_wrong_clips_are_named(tmp_path, write, said):
    write(tmp_path)
    with pytest.raises(InputError, match=said):
        raw.read_noises(tmp_path, 100)


def test_a_source_may_be_upstreams_own(tmp_path):
    from mmjax.data.sources import find

    (tmp_path / "esc10_noise" / "ESC-10-master").mkdir(parents=True)
    noise = raw.HARD_SOURCES[-1]
    assert find(tmp_path, [noise]) == {raw.NOISE_FILE: tmp_path / "esc10_noise" / "ESC-10-master"}
    (tmp_path / raw.NOISE_FILE).write_bytes(b"")
    assert find(tmp_path, [noise]) == {raw.NOISE_FILE: tmp_path / raw.NOISE_FILE}
