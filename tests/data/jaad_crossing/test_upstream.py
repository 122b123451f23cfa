"""JAAD's own XML gives the windows that the archive has."""

import numpy as np
import pytest

from mmjax.data import load_task
from mmjax.data.jaad_crossing import upstream
from mmjax.errors import InputError

# Of pedestrian 0_1_3b of video_0001, who is seen until frame 568 and does not cross: left, top, right and bottom of
# the box in frames 521 to 536, which are the archive's window that ends 30 frames before the end it counts from.
LAST_FRAME = 568
FIRST_KNOWN = 521
KNOWN = [
    (114, 638, 245, 999), (110, 637, 243, 999), (106, 637, 240, 1000), (102, 636, 237, 1000), (101, 635, 230, 1000),
    (100, 634, 224, 1001), (100, 632, 218, 1000), (99, 631, 212, 1001), (98, 630, 205, 1001), (91, 629, 200, 1001),
    (84, 628, 194, 1001), (77, 627, 189, 1000), (70, 626, 183, 1000), (63, 625, 178, 1000), (53, 625, 178, 1001),
    (42, 625, 177, 1002),
]  # fmt: skip
NOTES = {"look": "not-looking", "reaction": "clear_path", "action": "walking", "cross": "not-crossing",
         "hand_gesture": "__undefined__", "occlusion": "none", "nod": "__undefined__"}  # fmt: skip
PLACE = {"crossing": "-1", "crossing_point": "-1", "designated": "ND", "intersection": "no", "num_lanes": "2",
         "signalized": "n/a", "traffic_direction": "TW"}  # fmt: skip
VIDEO = {"time_of_day": "daytime", "weather": "cloudy", "location": "plaza"}
SCENE = [0, 1, 0, 1, 0, 0, 1, 0, 0, 0, 0, 1, 0.25, 1, 0, 1, 0, 0, 1, 0, 0, 1]  # as the archive has it


def tag(name, attributes, inside=""):
    written = "".join(f' {key}="{value}"' for key, value in attributes.items())
    return f"<{name}{written}>{inside}</{name}>"


def track(person, boxes, label="pedestrian", **notes):
    """Frame -> corners."""
    said = "".join(tag("attribute", {"name": key}, value) for key, value in {"id": person, **NOTES, **notes}.items())
    parts = [
        tag("box", {"frame": frame, "xtl": left, "ytl": top, "xbr": right, "ybr": bottom}, said)
        for frame, (left, top, right, bottom) in boxes.items()
    ]
    return tag("track", {"label": label}, "".join(parts))


def documents(tracks, persons, frames, dressed=(), video=VIDEO):
    """Folder -> XML of a video of so many frames; `dressed` are (pedestrian, frame) whose looks are noted."""
    size = tag("original_size", {}, tag("width", {}, 1920) + tag("height", {}, 1080))
    told = tag("video_attributes", {}, "".join(tag(key, {}, value) for key, value in video.items()))
    signs = {"ped_crossing": 0, "ped_sign": 1, "stop_sign": 0, "traffic_light": "red"}
    looks = {name: int(name == "backpack") for name in upstream.APPEARANCE}
    return {
        "annotations": tag("annotations", {}, tag("meta", {}, tag("task", {}, size + told)) + "".join(tracks)),
        "annotations_attributes": tag(
            "ped_attributes", {}, "".join(tag("pedestrian", {"id": key} | value) for key, value in persons.items())
        ),
        "annotations_appearance": tag(
            "pedestrian_appearance",
            {},
            "".join(tag("track", {"id": who}, tag("box", {"frame": at} | looks)) for who, at in dressed),
        ),
        "annotations_traffic": tag(
            "traffic_scene",
            {},
            tag("road_type", {}, "parking_lot") + "".join(tag("frame", {"id": at} | signs) for at in range(frames)),
        ),
        "annotations_vehicle": tag(
            "vehicle_info",
            {},
            "".join(tag("frame", {"id": at, "action": upstream.VEHICLE[at % 5]}) for at in range(frames)),
        ),
    }


def write(root, videos, splits=None):
    """Name -> documents; list -> names of videos, all in train otherwise."""
    paths = {source.file: root / source.file for source in upstream.SOURCES}
    for place in paths.values():
        place.mkdir(parents=True)
    for name, parts in videos.items():
        for folder, content in parts.items():
            (paths[folder] / f"{name}{folder.removeprefix('annotations')}.xml").write_text(content)
    for name in upstream.LISTS:
        listed = (splits or {"train.txt": list(videos)}).get(name, [])
        (paths[upstream.SPLITS] / name).write_text("\n".join(listed) + "\n")
    return paths


def known(**place):
    boxes = dict.fromkeys(range(400, LAST_FRAME + 1), (0, 0, 10, 10))
    boxes |= {FIRST_KNOWN + step: corners for step, corners in enumerate(KNOWN)}
    others = [track("0_1_2", boxes, label="ped"), track("0_1_9b", dict(list(boxes.items())[:70]))]
    return documents(
        [track("0_1_3b", boxes), *others],
        {"0_1_3b": PLACE | place, "0_1_2": PLACE, "0_1_9b": PLACE},
        LAST_FRAME + 1,
        dressed=[("0_1_3b", FIRST_KNOWN)],
    )


def test_a_window_has_what_the_archive_has(tmp_path):
    columns = upstream.read_upstream(write(tmp_path, {"video_0001": known()}))["train"]
    assert columns["pedestrian"].tolist() == ["0_1_3b"] * 11  # 60 to 30 frames ahead; not who is seen for 70 frames
    window = {name: values[-1] for name, values in columns.items()}
    corners = np.array(KNOWN, float).reshape(-1, 2, 2) / [1920, 1080]
    expected = np.concatenate([corners.mean(axis=1), corners[:, 1] - corners[:, 0]], axis=1)
    np.testing.assert_allclose(window["trajectory"], expected, rtol=0, atol=1e-7)  # float32 of numbers below 1
    assert window["behaviour"].tolist() == [[0, 1, 0, 0, 1, 0, 0, 0]] * 16
    assert window["scene"].tolist() == SCENE and window["label"] == 0 and window["video"] == "video_0001"
    assert window["traffic"].tolist() == [[0, 1, 0, 0, 1, 0]] * 16
    assert window["vehicle"].argmax(axis=1).tolist() == [frame % 5 for frame in range(521, 537)]
    dressed = np.array([name == "backpack" for name in upstream.APPEARANCE] + [True])
    assert (window["appearance"][0] == dressed).all() and not window["appearance"][1:].any()


def test_who_crosses_is_seen_until_then(tmp_path):
    columns = upstream.read_upstream(write(tmp_path, {"v": known(crossing="1", crossing_point="567")}))["train"]
    assert columns["label"].tolist() == [1] * 11
    assert columns["vehicle"][-1].argmax(axis=1).tolist() == [frame % 5 for frame in range(522, 538)]


def test_what_is_noted_of_behaviour(tmp_path):
    notes = {"look": "looking", "reaction": "slow_down", "action": "standing", "hand_gesture": "greet",
             "occlusion": "part", "nod": "nodding"}  # fmt: skip
    boxes = dict.fromkeys(range(90), (0, 0, 10, 10))
    video = documents([track("1b", boxes, **notes)], {"1b": PLACE}, 90)
    columns = upstream.read_upstream(write(tmp_path, {"v": video}))["train"]
    assert columns["behaviour"][0, 0].tolist() == [1, 0, 1, 1, 0, 0, 1, 0.5]


def test_a_task_is_made_of_it(tmp_path):
    boxes = dict.fromkeys(range(90), (0, 0, 10, 10))
    persons = {f"{place}b": PLACE | {"crossing": str(place % 2)} for place in range(4)}
    video = documents([track(person, boxes) for person in persons], persons, 90)
    splits = {"train.txt": ["a"], "val.txt": ["b"], "test.txt": ["c"]}
    write(tmp_path / "jaad_crossing", dict.fromkeys("abc", video), splits)
    task = load_task("jaad_crossing", str(tmp_path), str(tmp_path / "cache"))
    assert {split: batch.size for split, batch in task.splits.items()} == dict.fromkeys(task.splits, 44)


def spoil(folder, old, new):
    def damage(root):
        path = root / folder / f"v{folder.removeprefix('annotations')}.xml"
        path.write_text(path.read_text().replace(old, new))

    return damage


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (spoil("annotations", "</annotations>", ""), "v.xml is truncated"),
        (spoil("annotations", ">walking<", ">running<"), "action is 'running'; accepted are standing, walking"),
        (spoil("annotations", 'xtl="0"', 'xtl="left"'), "v.xml is truncated or not the right file.*left"),
        (spoil("annotations", "weather", "whether"), "weather is None; accepted are clear"),
        (spoil("annotations_attributes", 'num_lanes="2"', ""), "v_attributes.xml is truncated"),
        (spoil("annotations_attributes", 'point="-1"', 'point="9999"'), "0_1_3b crosses at 9999, when nobody is seen"),
        (spoil("annotations_traffic", 'id="530"', 'id="7"'), "v_traffic.xml has no frame 530"),
        (spoil("annotations_vehicle", "stopped", "flying"), "v_vehicle.xml: action is 'flying'"),
        (lambda root: (root / "annotations_vehicle" / "v_vehicle.xml").unlink(), "v_vehicle.xml"),
        (lambda root: (root / upstream.SPLITS / "train.txt").write_text(""), "names no video with a window"),
    ],
)
def test_what_is_refused(tmp_path, damage, told):
    paths = write(tmp_path, {"v": known()})
    damage(tmp_path)
    with pytest.raises(InputError, match=told):
        upstream.read_upstream(paths)
