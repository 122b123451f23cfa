"""Every draft is a task.yaml that loads or says what it leaves open, and is never written over a person's."""

import os
from pathlib import Path

import numpy as np
import pytest
from varied_folders import VARIED

from mmjax.data import load_task
from mmjax.data.folder.draft import add_questions, draft, write_draft
from mmjax.data.folder.lines import read_yaml
from mmjax.errors import InputError


@pytest.mark.parametrize("name", VARIED)
def test_a_draft_loads_or_says_what_is_open(name, tmp_path):
    folder = tmp_path / f"my {name}"
    folder.mkdir()
    expected = VARIED[name](folder)
    path, made = write_draft(folder, force=False)
    content = read_yaml(path)
    assert {name: part["kind"] for name, part in content["modalities"].items()} == expected.kinds
    assert expected.target is None or expected.target in content["target"].values()
    problems = []
    if made.complete:
        try:
            task = load_task(str(folder), cache_dir=str(tmp_path / "cache"))
            assert {spec.name for spec in task.modalities} == set(expected.kinds)
        except InputError as error:
            problems = [str(error)]
    said = "\n".join((*made.questions, *problems))
    assert expected.open in said and expected.notes in "\n".join(made.notes)
    assert bool(said) == bool(expected.open), said
    add_questions(path, problems)
    assert read_yaml(path) == content
    comments = [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("# ")]
    assert len(comments) == 1 + len(made.notes) + len(made.questions) + len(problems)


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


def test_what_a_table_says_of_each_example_is_not_drafted_as_a_feature(tmp_path):
    VARIED["running_number"](tmp_path)
    content = read_yaml(write_draft(tmp_path, force=False)[0])
    assert content["modalities"]["t"]["columns"] == ["age"] and "id" not in content


def test_tables_are_joined_by_the_key_that_all_have(tmp_path):
    VARIED["two_tables"](tmp_path)
    assert read_yaml(write_draft(tmp_path, force=False)[0])["id"] == "patient"


def test_columns_keep_their_names(tmp_path):
    VARIED["odd_columns"](tmp_path)
    columns = read_yaml(write_draft(tmp_path, force=False)[0])["modalities"]["t"]["columns"]
    assert columns[:2] == ["age, years", "temp: C"] and columns[5:7] == ["on", "1e3"] and len(columns) == 13


def test_a_target_that_is_not_found_is_asked_for(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((4, 2)))
    made = draft(tmp_path)
    assert "target: {file: '?', column: '?'}" in made.text and not made.complete
    assert any("what is to be predicted was not found" in question for question in made.questions)


def test_what_a_person_wrote_is_kept(good):
    before = (good / "task.yaml").read_text()
    with pytest.raises(InputError, match="task.yaml is there already.*--force"):
        write_draft(good, force=False)
    assert (good / "task.yaml").read_text() == before


def test_a_folder_that_cannot_be_written_is_told_and_nothing_is_lost(good, monkeypatch):
    """Root may write anywhere, so the refusal is the operating system's by its word."""

    def refuse(*paths):
        raise PermissionError(13, "Permission denied")

    before = (good / "task.yaml").read_text()
    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(InputError, match="task.yaml cannot be written .Permission denied.; copy the files"):
        write_draft(good, force=True)
    assert (good / "task.yaml").read_text() == before


def test_a_file_that_may_not_be_read_is_left_out_and_told(good, monkeypatch):
    (good / "closed.csv").write_text("a,b\n1,2\n")
    read_bytes = Path.read_bytes

    def refuse(path):
        if path.name == "closed.csv":
            raise PermissionError(13, "Permission denied", str(path))
        return read_bytes(path)

    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert "closed.csv is left out: it cannot be read (Permission denied)" in draft(good).questions


def test_a_folder_without_data_is_told(tmp_path):
    with pytest.raises(InputError, match="holds no table"):
        draft(tmp_path)
    (tmp_path / "t.csv").write_bytes(b"\xff")
    with pytest.raises(InputError, match="holds no table.*byte 0xff is no UTF-8"):
        draft(tmp_path)
    with pytest.raises(InputError, match="is no folder"):
        draft(tmp_path / "nowhere")
