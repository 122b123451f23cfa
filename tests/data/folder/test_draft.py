"""A draft is a task.yaml that loads where the files leave no doubt, and is never written over a person's."""

import numpy as np
import pytest

from mmjax.data import load_task
from mmjax.data.folder.draft import draft, write_draft
from mmjax.errors import InputError


def test_a_draft_of_a_table_pictures_and_sounds_loads(good, tmp_path):
    (good / "task.yaml").unlink()
    write_draft(good, force=False)
    task = load_task(str(good), cache_dir=str(tmp_path / "cache"))
    kinds = {spec.name: spec.kind for spec in task.modalities}
    assert kinds["scans"] == "image" and kinds["voices"] == "waveform" and kinds["note"] == "tokens"
    assert kinds["visits"] == "vector" and task.target.kind == "binary" and task.class_names == ("healthy", "ill")


def test_a_draft_of_arrays_loads(arrays, tmp_path):
    (arrays / "words.npy").unlink()
    write_draft(arrays, force=True)
    task = load_task(str(arrays), cache_dir=str(tmp_path / "cache"))
    kinds = {spec.name: spec.kind for spec in task.modalities}
    assert kinds["table"] == "vector" and kinds["film"] == "video" and kinds["gait"] == "sequence"


def test_a_saved_data_set_is_found(tmp_path):
    import datasets

    datasets.Dataset.from_dict({"text": ["a", "b"], "label": [0, 1]}).save_to_disk(str(tmp_path / "saved"))
    assert "text: {kind: text, file: saved, column: text}" in draft(tmp_path)


def test_a_target_that_is_not_found_is_asked_for(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((4, 2)))
    assert "target: {file: ?, column: ?}" in draft(tmp_path)


def test_what_a_person_wrote_is_kept(good):
    before = (good / "task.yaml").read_text()
    with pytest.raises(InputError, match="task.yaml is there already.*--force"):
        write_draft(good, force=False)
    assert (good / "task.yaml").read_text() == before


def test_a_folder_without_data_is_told(tmp_path):
    with pytest.raises(InputError, match="holds no table"):
        draft(tmp_path)
    with pytest.raises(InputError, match="is no folder"):
        draft(tmp_path / "nowhere")
