"""MUStARD's own JSON gives the same columns as the archive."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from mmjax.data import load_task
from mmjax.data.mustard_text import upstream
from mmjax.data.mustard_text.task import FILE, read
from mmjax.errors import InputError

CLIPS = {
    "1_60": {
        "utterance": "It's just a privilege to watch your mind at work.",
        "speaker": "SHELDON",
        "context": ["I never would have.", "What's your plan?"],
        "context_speakers": ["LEONARD", "SHELDON"],
        "show": "BBT",
        "sarcasm": True,
    },
    "1_70": {
        "utterance": "Fine.", "speaker": "PENNY", "context": ["Cool."], "context_speakers": [], "show": "BBT",
        "sarcasm": False,
    },
}  # fmt: skip


def write(folder, clips):
    path = folder / upstream.FILE
    path.write_text(json.dumps(clips))
    return {upstream.FILE: path}


def test_clips_become_columns(tmp_path):
    columns = upstream.read_upstream(write(tmp_path, CLIPS))["train"]
    assert columns["context"].tolist() == ["LEONARD: I never would have. | SHELDON: What's your plan?", "Cool."]
    assert columns["label"].tolist() == [1, 0] and columns["fold"].tolist() == [0, 0]
    assert columns["speaker"].tolist() == ["SHELDON", "PENNY"]


def test_the_authors_folds_are_five_of_138():
    folds = [int(line.split("\t")[1]) for line in upstream.FOLDS.read_text().splitlines()[1:]]
    assert np.bincount(folds).tolist() == [138] * 5


def test_a_task_is_made_of_it(tmp_path):
    names = [line.split("\t")[0] for line in upstream.FOLDS.read_text().splitlines()[1:]]
    clips = {name: CLIPS["1_60" if place % 2 else "1_70"] for place, name in enumerate(names)}
    write(tmp_path, clips)
    task = load_task("mustard_text/words", str(tmp_path), str(tmp_path / "cache"))
    assert {split: batch.size for split, batch in task.splits.items()} == {"train": 414, "validation": 138, "test": 138}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda clips: clips["1_60"].pop("speaker"), "clip '1_60' has no speaker that is a str"),
        (lambda clips: clips["1_70"].update(sarcasm="yes"), "clip '1_70' has no sarcasm that is a bool"),
        (lambda clips: clips.update(zebra=clips["1_70"]), "clip 'zebra' is in none"),
        (lambda clips: clips.clear(), "holds no clip"),
    ],
)
def test_what_is_refused(tmp_path, change, told):
    clips = json.loads(json.dumps(CLIPS))
    change(clips)
    with pytest.raises(InputError, match=told):
        upstream.read_upstream(write(tmp_path, clips))


def test_a_truncated_file_is_named(tmp_path):
    (tmp_path / upstream.FILE).write_text('{"1_60"')
    with pytest.raises(InputError, match="sarcasm_data.json is truncated"):
        upstream.read_upstream({upstream.FILE: tmp_path / upstream.FILE})


@pytest.mark.skipif(not os.environ.get("MMJAX_DATA_DIR"), reason="needs the real file")
def test_the_folds_are_those_of_the_archive():
    path = Path(os.environ["MMJAX_DATA_DIR"]) / "mustard_text" / FILE
    with np.load(path, allow_pickle=False) as archive:
        names = archive["clip_id"].tolist()
    folds = dict(line.split("\t") for line in upstream.FOLDS.read_text().splitlines()[1:])
    assert [int(folds[name]) for name in names] == read({FILE: path})["train"]["fold"].tolist()
