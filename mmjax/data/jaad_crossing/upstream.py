"""JAAD's annotations as its authors publish them: five folders of XML, a file a video, and lists of videos a split.

Windows are those of the benchmark of Kotseruba et al. (WACV 2021), of pedestrians with notes of behaviour.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import numpy as np

from mmjax.data.arrays import by_split, strings_of
from mmjax.data.dataset import Columns
from mmjax.data.sources import Source, reading
from mmjax.errors import InputError

REPOSITORY = "https://github.com/ykotseruba/JAAD"
FOLDERS = ("annotations", "annotations_attributes", "annotations_appearance", "annotations_traffic",
           "annotations_vehicle")  # fmt: skip
SPLITS = "split_ids/default"
SOURCES = tuple(Source("jaad_crossing", folder, "", REPOSITORY) for folder in (*FOLDERS, SPLITS))
LISTS = ("train.txt", "val.txt", "test.txt")

FRAMES = 16  # of a window
SOONEST, LATEST, STRIDE = 30, 60, 3  # frames from a window's end to the event, and between windows
CUT = 2  # the last frames of who does not cross, of whom the rest ends at the event
GAZE, GAIT, NOD = ("not-looking", "looking"), ("standing", "walking"), ("__undefined__", "nodding")
REACTIONS = ("__undefined__", "clear_path", "speed_up", "slow_down")
OCCLUSIONS = ("none", "part", "full")
VEHICLE = ("stopped", "moving_slow", "moving_fast", "decelerating", "accelerating")
LIGHTS = ("n/a", "red", "green")
SIGNS = ("ped_crossing", "ped_sign", "stop_sign")
APPEARANCE = (
    "pose_front", "pose_back", "pose_left", "pose_right", "backpack", "bag_hand", "bag_elbow", "bag_shoulder",
    "bag_left_side", "bag_right_side", "cap", "clothes_below_knee", "clothes_upper_light", "clothes_upper_dark",
    "clothes_lower_light", "clothes_lower_dark", "hood", "object", "phone", "stroller_cart", "sunglasses", "umbrella",
    "baby", "bicycle_motorcycle",
)  # fmt: skip
ROADS = ("street", "parking_lot", "garage")
OF_VIDEO = {"time_of_day": ("daytime", "nighttime"), "weather": ("clear", "cloudy", "rain", "snow"),
            "location": ("street", "indoor", "plaza")}  # fmt: skip
MOST_LANES = 8
OF_PLACE = {"intersection": ("no", "yes"), "signalized": ("n/a", "NS", "S"), "designated": ("ND", "D"),
            "traffic_direction": ("OW", "TW")}  # fmt: skip


class Video(NamedTuple):
    """A video's roots of XML, by folder, and where each lies."""

    roots: Mapping[str, ElementTree.Element]
    paths: Mapping[str, Path]


def read_upstream(paths: Mapping[str, Path]) -> dict[str, Columns]:
    """split -> column -> [n, ...].

    Raises:
      InputError: if a file is missing or broken, or notes what the authors' do not.
    """
    windows, codes = [], []
    for code, name in enumerate(LISTS):
        with reading(paths[SPLITS] / name):
            videos = (paths[SPLITS] / name).read_text(encoding="utf-8").split()
        for video in videos:
            found = _windows(video, _read_video(paths, video))
            windows += found
            codes += [code] * len(found)
    if not windows:
        raise InputError(f"{paths[SPLITS]} names no video with a window; get it again from {REPOSITORY}")
    columns = {name: np.stack([window[name] for window in windows]) for name in windows[0]}
    columns |= {name: strings_of(columns[name]) for name in ("video", "pedestrian")}
    return by_split(columns, np.array(codes))


def _read_video(paths: Mapping[str, Path], video: str) -> Video:
    endings = {folder: folder.removeprefix("annotations") for folder in FOLDERS}
    files = {folder: paths[folder] / f"{video}{ending}.xml" for folder, ending in endings.items()}
    roots = {}
    for folder, path in files.items():
        with reading(path):
            roots[folder] = ElementTree.parse(path).getroot()
    return Video(roots, files)


def _windows(name: str, video: Video) -> list[dict]:
    """Of every pedestrian with notes of behaviour who is seen for long enough."""
    per_frame = {"vehicle": _vehicle(video), "traffic": _traffic(video)}
    looks = _appearance(video)
    persons = {person.get("id"): person for person in video.roots["annotations_attributes"].iter("pedestrian")}
    windows, nothing = [], np.zeros(len(APPEARANCE) + 1)
    for track in video.roots["annotations"].iter("track"):
        boxes = track.findall("box")
        person = _note(boxes[0], "id") if boxes else ""
        if track.get("label") != "pedestrian" or person not in persons:
            continue
        with reading(video.paths["annotations"]):
            frames = [int(box.get("frame")) for box in boxes]
        end = _end(video, persons[person], frames)
        with reading(video.paths["annotations_attributes"]):
            label = int(int(persons[person].get("crossing")) > 0)
        if end < FRAMES + LATEST:
            continue
        span = slice(end - FRAMES - LATEST, end - SOONEST)  # all that its windows see
        boxes, frames = boxes[span], frames[span]
        sequences = {
            "trajectory": _trajectory(video, boxes),
            "behaviour": np.stack([_behaviour(video, box) for box in boxes]),
            **{part: _frames(video, part, of_frame, frames) for part, of_frame in per_frame.items()},
            "appearance": np.stack([looks.get((person, frame), nothing) for frame in frames]).astype(np.float32),
        }
        whole = {"scene": _scene(video, persons[person]), "label": label, "video": name, "pedestrian": person}
        for start in range(0, LATEST - SOONEST + 1, STRIDE):
            windows.append({part: values[start : start + FRAMES] for part, values in sequences.items()} | whole)
    return windows


def _end(video: Video, person: ElementTree.Element, frames: list[int]) -> int:
    """Frames of the track that come before the event or are it; all but the last where nobody crosses."""
    path = video.paths["annotations_attributes"]
    with reading(path):
        event = int(person.get("crossing_point"))
    if event == -1:
        return len(frames) - CUT
    if event not in frames:
        raise InputError(f"{path}: {person.get('id')} crosses at {event}, when nobody is seen; get it again")
    return frames.index(event) + 1


def _trajectory(video: Video, boxes: Sequence[ElementTree.Element]) -> np.ndarray:
    """float32 [frames, 4]: middle and size of the box, as parts of the picture."""
    size = video.roots["annotations"].find("meta/task/original_size")
    with reading(video.paths["annotations"]):
        scale = np.array([float(size.find(side).text) for side in ("width", "height")])
        corners = np.array([[float(box.get(edge)) for edge in ("xtl", "ytl", "xbr", "ybr")] for box in boxes])
    low, high = corners[:, :2] / scale, corners[:, 2:] / scale
    return np.concatenate([(low + high) / 2, high - low], axis=1).astype(np.float32)


def _behaviour(video: Video, box: ElementTree.Element) -> np.ndarray:
    code = {
        name: _code(video.paths["annotations"], name, _note(box, name), accepted)
        for name, accepted in {"look": GAZE, "action": GAIT, "nod": NOD, "reaction": REACTIONS,
                               "occlusion": OCCLUSIONS}.items()
    }  # fmt: skip
    gesture = _note(box, "hand_gesture") != "__undefined__"
    reaction = np.eye(len(REACTIONS))[code["reaction"], 1:]
    return np.array(
        [code["look"], code["action"], code["nod"], gesture, *reaction, code["occlusion"] / 2], dtype=np.float32
    )


def _vehicle(video: Video) -> dict[int, np.ndarray]:
    path = video.paths["annotations_vehicle"]
    with reading(path):
        return {
            int(frame.get("id")): _one_hot(path, "action", frame.get("action"), VEHICLE)
            for frame in video.roots["annotations_vehicle"].iter("frame")
        }


def _traffic(video: Video) -> dict[int, np.ndarray]:
    path, of_frame = video.paths["annotations_traffic"], {}
    with reading(path):
        for frame in video.roots["annotations_traffic"].iter("frame"):
            light = _one_hot(path, "traffic_light", frame.get("traffic_light"), LIGHTS)
            signs = [int(frame.get(name)) for name in SIGNS]
            of_frame[int(frame.get("id"))] = np.concatenate([light, signs]).astype(np.float32)
    return of_frame


def _frames(video: Video, part: str, of_frame: Mapping[int, np.ndarray], at: Sequence[int]) -> np.ndarray:
    absent = [frame for frame in at if frame not in of_frame]
    if absent:
        raise InputError(f"{video.paths[f'annotations_{part}']} has no frame {absent[0]}; get it again")
    return np.stack([of_frame[frame] for frame in at])


def _appearance(video: Video) -> dict[tuple[str, int], np.ndarray]:
    """What is noted of a pedestrian in a frame, and 1."""
    with reading(video.paths["annotations_appearance"]):
        return {
            (track.get("id"), int(box.get("frame"))): np.array([*(int(box.get(name)) for name in APPEARANCE), 1])
            for track in video.roots["annotations_appearance"].iter("track")
            for box in track.iter("box")
        }


def _scene(video: Video, person: ElementTree.Element) -> np.ndarray:
    traffic, attributes = video.paths["annotations_traffic"], video.paths["annotations_attributes"]
    task = video.roots["annotations"].find("meta/task/video_attributes")
    parts = [_one_hot(traffic, "road_type", video.roots["annotations_traffic"].findtext("road_type"), ROADS)]
    for name, accepted in OF_VIDEO.items():
        value = None if task is None else task.findtext(name)
        parts.append(_one_hot(video.paths["annotations"], name, value, accepted))
    with reading(attributes):
        parts.append([int(person.get("num_lanes")) / MOST_LANES])
    parts += [_one_hot(attributes, name, person.get(name), accepted) for name, accepted in OF_PLACE.items()]
    return np.concatenate(parts).astype(np.float32)


def _note(box: ElementTree.Element, name: str) -> str | None:
    return next((note.text for note in box.iter("attribute") if note.get("name") == name), None)


def _code(path: Path, name: str, value: str | None, accepted: Sequence[str]) -> int:
    if value not in accepted:
        raise InputError(f"{path}: {name} is {value!r}; accepted are {', '.join(accepted)}")
    return accepted.index(value)


def _one_hot(path: Path, name: str, value: str | None, accepted: Sequence[str]) -> np.ndarray:
    return np.eye(len(accepted), dtype=np.float32)[_code(path, name, value, accepted)]
