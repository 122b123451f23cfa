"""Tasks by name: what an entry promises is what loads, and importing is cheap."""

import subprocess
import sys

import pytest

from mmjax.data import TASKS, load_task, tasks_of
from mmjax.data.recipes import RECIPES
from mmjax.errors import InputError


@pytest.fixture(scope="module", params=TASKS)
def loaded(request, dummy, cache_dir):
    name = request.param
    return name, load_task(name, str(dummy(name.split("/")[0])) if TASKS[name].needs_files else None, str(cache_dir))


def test_entries_tell_the_truth(loaded):
    name, task = loaded
    entry = TASKS[name]
    assert task.name == name
    assert entry.kinds == {spec.name: spec.kind for spec in task.modalities}
    assert entry.target == task.target.kind
    assert entry.tags == task.tags != ()
    assert len(task.fingerprint) == 16


def test_every_variant_is_registered():
    variants = {name for name in TASKS if name.rpartition("/")[0] in TASKS}
    assert {f"{name}/{config}" for name, entry in TASKS.items() for config in entry.configs} == variants


def test_tasks_have_fingerprints_of_their_own(dummy, cache_dir):
    names = [name for name, entry in TASKS.items() if entry.needs_files]
    prints = {load_task(name, str(dummy(name.split("/")[0])), str(cache_dir)).fingerprint for name in names}
    assert len(prints) == len(names)


def test_every_domain_has_a_tag():
    assert set(tasks_of(["medicine", "finance", "education", "driving", "affect", "perception", "multiview"])) <= set(
        TASKS
    )
    assert len(tasks_of(["full"])) >= 17 and "synthetic/xor" in tasks_of(["information"])
    with pytest.raises(InputError, match="task or tag 'medicin'.*medicine"):
        tasks_of(["medicin"])


def test_unknown_task_is_named_with_the_nearest():
    with pytest.raises(InputError, match="avdigit.*did you mean 'avdigits'"):
        load_task("avdigit")


def test_a_path_that_is_not_there_is_told_as_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for path in (str(tmp_path / "nope"), "./nope", "../nope/data", "my/own/data", "nope/", "~/nope", "/nope#fold.2"):
        for take in (load_task, lambda name: tasks_of([name])):
            with pytest.raises(InputError, match=f"there is no folder '{path}': give one that is there"):
                take(path)
    with pytest.raises(InputError, match="unknown task 'avdigit/clean': did you mean 'avdigits/clean'"):
        load_task("avdigit/clean")


def test_folders_come_from_the_environment(dummy, cache_dir, monkeypatch, tmp_path):
    monkeypatch.setenv("MMJAX_CACHE_DIR", str(cache_dir))
    monkeypatch.setenv("MMJAX_DATA_DIR", str(tmp_path / "nowhere"))
    with pytest.raises(InputError, match="nowhere"):
        load_task("handwritten")
    monkeypatch.setenv("MMJAX_DATA_DIR", str(dummy("handwritten")))
    assert load_task("handwritten").name == "handwritten"


def test_importing_reads_no_library_of_formats():
    heavy = {"tensorflow_datasets", "scipy.io", "scipy.fft", "sklearn"}
    code = "import sys, mmjax.data; print(*sys.modules)"
    imported = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "mmjax.data.handwritten.task" in imported and not heavy & set(imported)


def test_tfds_builds_from_the_folders(dummy, tmp_path):
    """`tfds build` on every folder. Its entry point needs TensorFlow for other commands, so `build` is called alone."""
    command = (
        "import sys; from tensorflow_datasets.scripts.cli import build, cli_utils;"
        "cli_utils.make_flags_parser(build.Args, description='')(sys.argv).execute()"
    )
    manual = tmp_path / "manual"
    manual.mkdir()
    folders = [dummy(name).parent for name in (*RECIPES, "avdigits")]
    for folder in folders:
        for file in (folder / "dummy_data").iterdir():
            (manual / file.name).symlink_to(file)
    arguments = [*map(str, folders), f"--manual_dir={manual}", f"--data_dir={tmp_path}"]
    subprocess.run([sys.executable, "-c", command, *arguments], check=True, capture_output=True)
    built = {str(path.parent.relative_to(tmp_path)) for path in tmp_path.rglob("dataset_info.json")}
    assert built == {f"{name}/1.0.0" for name in RECIPES} | {"avdigits/hard/1.0.0", "avdigits/clean/1.0.0"}
