"""The contracts refuse what they cannot mean."""

import pytest

from mmjax.errors import InputError
from mmjax.types import ModalitySpec, TargetSpec, ValueScale, check_modality_names


@pytest.mark.parametrize(
    "fields, told",
    [
        (("a", "smell", (3,)), "kind 'smell' is none of image, tokens, sequence, vector, video"),
        (("a", "image", (3,)), r"shape \(3,\) is not \(height, width, channels\) float"),
        (("a", "tokens", (3,)), "a vocabulary belongs to kind 'tokens'"),
        (("a", "vector", (3,), 5), "a vocabulary belongs to kind 'tokens'"),
        (("a", "video", (4, 8, 8)), r"shape \(4, 8, 8\) is not \(T, height, width, channels\) float"),
        (("a", "points", (3,)), r"shape \(3,\) is not \(points, features\) float"),
        (("a", "waveform", (100, 2), 0, 8000.0), r"shape \(100, 2\) is not \(samples,\) float"),
        (("a", "waveform", (100,)), "a rate above 0 belongs to kind 'waveform'"),
        (("a", "vector", (3,), 0, 8000.0), "a rate above 0 belongs to kind 'waveform'"),
    ],
)
def test_modalities_that_are_none(fields, told):
    with pytest.raises(ValueError, match=told):
        ModalitySpec(*fields)


@pytest.mark.parametrize(
    "name",
    [
        "", " ", "a/b", "../../escaped", "..", "a..b", "a\\b", "C:scan", ".scan", "scan ", " scan", "-x", "[/x]", "<b>",
        "a,b", "a=b", "a\nb", "a\0b", "a\x1b[31m", "\ud800",
        "scan.present", "scan.lengths", "scan.rate", "x" * 101, "图" * 40,
    ],
)  # fmt: skip
def test_a_name_that_could_be_no_key_path_and_word_of_a_list_is_refused(name):
    with pytest.raises(InputError, match="modality '") as error:
        ModalitySpec(name, "vector", (3,))
    assert "\n" not in str(error.value) and len(str(error.value)) < 300


@pytest.mark.parametrize(
    "name", ["target", "groups", "on", "1e3", "图像", "हिन्दी", "naïve scan", "T1-w.v2", "x" * 100, "a present"]
)
def test_a_name_of_letters_of_any_script_is_taken(name):
    assert ModalitySpec(name, "vector", (3,)).name == name


@pytest.mark.parametrize("names", [("a", "a"), ("Scan", "scan"), ("caf\u00e9", "cafe\u0301")])
def test_names_that_a_file_system_may_take_for_one_are_refused(names):
    with pytest.raises(InputError, match="differ in more than case"):
        check_modality_names(names)


@pytest.mark.parametrize("kind, size", [("multiclass", 1), ("binary", 2), ("regression", 0), ("ordinal", 3)])
def test_targets_that_are_none(kind, size):
    with pytest.raises(ValueError, match="target"):
        TargetSpec(kind, size)


@pytest.mark.parametrize("kind, size, count", [("regression", 2, 1), ("multiclass", 2, 2), ("binary", 1, 1)])
def test_scales_that_do_not_fit(kind, size, count):
    with pytest.raises(ValueError, match="scales do not fit"):
        TargetSpec(kind, size, (ValueScale("standard"),) * count)


@pytest.mark.parametrize("fields", [("square",), ("standard", 0.0, 0.0), ("log", 0.0, float("nan"))])
def test_scales_that_are_none(fields):
    with pytest.raises(ValueError, match="target"):
        ValueScale(*fields)


@pytest.mark.parametrize(
    "target, outputs, classes",
    [
        (TargetSpec("binary"), 1, 2),
        (TargetSpec("multiclass", 5), 5, 5),
        (TargetSpec("multilabel", 4), 4, 2),
        (TargetSpec("regression", 3), 3, 0),
    ],
)
def test_outputs_and_classes(target, outputs, classes):
    assert (target.outputs, target.classes) == (outputs, classes)


def test_no_name_ends_as_the_arrays_that_stand_beside_a_modality():
    """In a file of new examples `scan.present` says who has a scan."""
    from experiments.new_examples import EXTRAS

    for extra in EXTRAS:
        with pytest.raises(InputError, match=f"does not end in .*[.]{extra}"):
            ModalitySpec(f"scan.{extra}", "vector", (3,))
