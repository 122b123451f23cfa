"""MVSA-Single from upstream's pictures and texts."""

import numpy as np
import pytest
from PIL import Image

from mmjax.data import load_task
from mmjax.data.mvsa_single import upstream
from mmjax.errors import InputError

SPLIT_OF = dict(line.split("\t") for line in upstream.PLACES.read_text().splitlines()[1:])


def write(root, guids):
    (root / "data").mkdir()
    lines = ["guid,tag"]
    for place, guid in enumerate(guids):
        picture = np.zeros((60, 90, 3), np.uint8)
        picture[:, 15:75] = 80 * (place % 3)  # the middle square; what is cut off stays black
        Image.fromarray(picture).save(root / "data" / f"{guid}.jpg", quality=95)
        (root / "data" / f"{guid}.txt").write_bytes(f" how I feel {place} \n".encode())
        lines.append(f"{guid},{upstream.FEELINGS[place % 3]}")
    (root / "train.txt").write_text("\n".join(lines))
    return {source.file: root / source.file for source in upstream.SOURCES}


def test_pairs_become_columns(tmp_path):
    columns = upstream.read_upstream(write(tmp_path, ["1", "2", "3"]))["train"]
    assert columns["text"].tolist() == ["how I feel 0", "how I feel 1", "how I feel 2"]
    assert columns["label"].tolist() == [0, 1, 2] and columns["image"].shape == (3, 48, 48, 3)
    # JPEG and Lanczos move a flat square by a few bytes at its rim.
    assert np.abs(columns["image"].astype(int) - 80 * np.arange(3)[:, None, None, None]).max() <= 12


def test_texts_of_broken_bytes_are_read(tmp_path):
    paths = write(tmp_path, ["1", "2"])
    (tmp_path / "data" / "1.txt").write_bytes("漢字".encode("gb18030"))
    (tmp_path / "data" / "2.txt").write_bytes(b"caf\xe9\xff")
    assert upstream.read_upstream(paths)["train"]["text"].tolist() == ["漢字", "café\xff"]


def test_the_splits_are_those_of_the_card():
    names, counts = np.unique(list(SPLIT_OF.values()), return_counts=True)
    assert dict(zip(names.tolist(), counts.tolist(), strict=True)) == {"train": 2804, "validation": 401, "test": 795}


def test_a_task_is_made_of_it(tmp_path):
    guids = [
        guid for split in ("train", "validation", "test") for guid in [g for g in SPLIT_OF if SPLIT_OF[g] == split][:9]
    ]
    root = tmp_path / "mvsa_single"
    root.mkdir()
    write(root, guids)
    task = load_task("mvsa_single/words", str(tmp_path), str(tmp_path / "cache"))
    assert [task.splits[split].size for split in ("train", "validation", "test")] == [9, 9, 9]


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda root: (root / "data" / "1.jpg").write_bytes(b"\xff\xd8"), "1.jpg is truncated"),
        (lambda root: (root / "data" / "2.txt").unlink(), "2.txt"),
        (lambda root: (root / "train.txt").write_text("guid,tag\n1,angry"), "line 2 is '1,angry'.*negative or neutral"),
        (lambda root: (root / "train.txt").write_text("guid,tag\n99999,neutral"), "names '99999', which no split has"),
        (lambda root: (root / "train.txt").write_text("guid,tag"), "names no pair"),
    ],
)
def test_what_is_refused(tmp_path, damage, told):
    paths = write(tmp_path, ["1", "2"])
    damage(tmp_path)
    with pytest.raises(InputError, match=told):
        upstream.read_upstream(paths)
