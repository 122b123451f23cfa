"""The contracts refuse what they cannot mean."""

import pytest

from mmjax.types import ModalitySpec, TargetSpec, ValueScale


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
