"""Which unit a regression is learned in is said by train's values, or by who asks."""

import dataclasses
import json

import numpy as np
import pytest

from mmjax.data.target_scale import fit_scales
from mmjax.errors import InputError
from mmjax.types import TargetSpec, ValueScale

N = 400


def kinds(values, kind=""):
    return [scale.kind for scale in fit_scales(np.float32(values), kind)]


@pytest.fixture
def normal():
    return np.random.default_rng(0).normal(size=N)


def test_by_hand():
    (scale,) = fit_scales(np.float32([1, 3]))
    assert scale == ValueScale("standard", 2.0, 1.0, -1.0, 1.0)
    (scale,) = fit_scales(np.float64([[np.exp(1)], [np.exp(3)]]), "log")
    assert dataclasses.astuple(scale)[1:] == pytest.approx((2.0, 1.0, -1.0, 1.0))
    assert fit_scales(np.float32([1, 3]), "none") == (ValueScale("none", 0.0, 1.0, 1.0, 3.0),)


def test_positive_and_skewed_values_are_learned_as_logarithms(normal):
    assert kinds(np.exp(normal)) == ["log"] and kinds(np.exp(normal) * 1e-6) == ["log"]
    assert kinds(20 + normal) == ["standard"], "not skewed"
    assert kinds(-np.exp(normal)) == ["standard"], "skewed, and below 0"
    assert kinds(np.exp(normal) - 0.1) == ["standard"], "some are below 0"
    assert kinds(np.append(np.exp(normal), 0)) == ["standard"], "0 has no logarithm"
    assert kinds(np.arange(1, N)) == ["standard"], "even"


def test_logarithms_that_are_no_less_skewed_help_nothing(normal):
    """Two values, one rare: skewed by as much in any unit."""
    assert kinds(np.where(np.arange(N) % 50 == 0, 2.0, 1.0)) == ["standard"]


def test_each_value_has_its_own(normal):
    values = np.stack([np.exp(normal), normal, 1e9 * normal, np.full(N, 3.0)], axis=1)
    scales = fit_scales(np.float32(values))
    assert [scale.kind for scale in scales] == ["log", "standard", "standard", "standard"]
    assert scales[2].scale == pytest.approx(1e9, rel=0.2) and scales[3].scale == 1
    assert kinds(np.exp(values[:, :2]), "standard") == ["standard"] * 2


@pytest.mark.parametrize("value", [0.0, 7.0, -3e8, 0.1])
def test_what_does_not_vary_keeps_its_width(value):
    """Nor what varies by the last digit of float32 alone."""
    nearly = np.float32([value] * 9 + [np.nextafter(np.float32(value), np.float32(np.inf))])
    for values in (np.full(10, value, np.float32), nearly):
        (scale,) = fit_scales(values)
        assert scale.scale == 1
    assert fit_scales(np.float32([5.0]))[0].scale == 1, "one example"


@pytest.mark.parametrize(
    "values, kind, told",
    [
        ([1.0, 0.0], "log", "takes values above 0, and train has 0"),
        ([1.0, -2.5], "log", "train has -2.5"),
        ([1.0, np.inf], "", "train has the value inf"),
        ([np.nan, 1.0], "standard", "train has the value nan"),
        ([1.0, 2.0], "square", "'square' is not accepted: give one of none, standard, log"),
    ],
)
def test_what_cannot_be_is_refused(values, kind, told):
    with pytest.raises(InputError, match=told):
        fit_scales(np.float32(values), kind)


def test_it_goes_through_json_unchanged(normal):
    target = TargetSpec("regression", 2, fit_scales(np.stack([np.exp(normal), normal], axis=1)))
    assert TargetSpec(**json.loads(json.dumps(dataclasses.asdict(target)))) == target
    assert hash(target) == hash(dataclasses.replace(target))
