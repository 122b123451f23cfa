"""UTD-MHAD from its own MATLAB files, and from the archive that was cut from them."""

import numpy as np
import pytest
import scipy.io

from mmjax.data import load_task
from mmjax.data.utd_mhad import raw
from mmjax.errors import InputError

GENERATOR = np.random.default_rng(0)
TAKES = [(action, person, 1) for action in range(1, 28) for person in (1, 2, 3, 4)]


def write_take(root, action, person, trial, steps=20):
    name = f"a{action}_s{person}_t{trial}"
    depth = np.zeros((240, 320, 18), np.uint16)
    depth[100:140, 50:100] = 160 * action
    arrays = {
        "Depth": ("depth", "d_depth", depth),
        "Inertial": ("inertial", "d_iner", GENERATOR.normal(size=(steps, raw.SENSORS))),
        "Skeleton": ("skeleton", "d_skel", GENERATOR.normal(size=(raw.JOINTS, 3, 15))),
    }
    for folder, (kind, key, values) in arrays.items():
        (root / folder).mkdir(exist_ok=True)
        scipy.io.savemat(root / folder / f"{name}_{kind}.mat", {key: values}, do_compression=True)
    return arrays


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "utd_mhad"
    folder.mkdir()
    return folder


def paths_of(root):
    return {source.file: root / source.file for source in raw.UPSTREAM}


def test_a_recording_is_what_its_files_hold(root):
    arrays = write_take(root, 3, 1, 2)
    write_take(root, 1, 2, 1)
    splits = raw.read_upstream(paths_of(root))
    assert {split: columns["person"].tolist() for split, columns in splits.items()} == {"train": [1], "test": [2]}
    train = splits["train"]
    assert train["label"].tolist() == [2] and train["inertial_length"].tolist() == [20]
    np.testing.assert_array_equal(train["inertial"][0, :20], arrays["Inertial"][2].astype(np.float32))
    skeleton = np.round(1000 * arrays["Skeleton"][2].transpose(2, 0, 1)).reshape(15, -1)
    np.testing.assert_array_equal(train["skeleton"][0, :15], skeleton.astype(np.float32))
    assert not train["skeleton"][0, 15:].any() and train["skeleton_length"].tolist() == [15]


def test_depth_is_the_mean_of_what_shows_somebody():
    frames = np.zeros((240, 320, 4), np.uint16)
    frames[0, 0], frames[0, 1] = 160, 320  # two of the block's 25 pixels
    frames[5:10, 5:10] = 16 * 300  # farther than a byte tells
    small = raw.reduce_depth(frames)
    assert small.shape == (raw.FRAMES, raw.HEIGHT, raw.WIDTH) and small.dtype == np.uint8
    assert (small[:, 0, 0] == 15).all() and (small[:, 1, 1] == 255).all() and not small[:, 2:].any()


def test_a_task_is_made_of_upstreams_folders(root):
    for action, person, trial in TAKES:
        write_take(root, action, person, trial)
    task = load_task("utd_mhad", str(root.parent), str(root.parent / "cache"))
    assert task.splits["test"].size == 54 and task.splits["train"].size + task.splits["validation"].size == 54
    assert set(task.splits["test"].target.tolist()) == set(range(27))


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda root: (root / "Inertial" / "a1_s1_t1_inertial.mat").unlink(), "Inertial lacks a1_s1_t1_inertial.mat"),
        (
            lambda root: (root / "Depth" / "a1_s1_t1_depth.mat").write_bytes(b"MATLAB"),
            "a1_s1_t1_depth.mat is truncated",
        ),
        (
            lambda root: scipy.io.savemat(root / "Skeleton" / "a1_s1_t1_skeleton.mat", {"d_skel": np.zeros((20, 3))}),
            "d_skel is float64",
        ),
        (lambda root: write_take(root, 28, 1, 1), "action, row 1 is 27; accepted are 0 to 26"),
        (lambda root: write_take(root, 1, 9, 1), "subject, row 1 is 8"),
        (lambda root: [path.unlink() for path in root.rglob("*.mat")], "holds no a<action>"),
    ],
)
def test_what_is_refused(root, damage, told):
    write_take(root, 1, 1, 1)
    damage(root)
    with pytest.raises(InputError, match=told):
        raw.read_upstream(paths_of(root))
