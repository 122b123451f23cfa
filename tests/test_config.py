"""Defaults are checked when built, and wrong ones are told apart."""

import dataclasses

import pytest

from mmjax.config import DEFAULTS, PRESETS, Config, config_for
from mmjax.errors import InputError


def test_every_field_has_a_default():
    assert Config() == DEFAULTS


@pytest.mark.parametrize("task", PRESETS)
def test_presets_are_accepted_and_variants_share_them(task):
    assert config_for(task) == config_for(f"{task}/variant") != DEFAULTS


@pytest.mark.parametrize(
    "changes, told",
    [
        ({"widht": 3}, "unknown config field 'widht'.*did you mean 'width'"),
        ({"width": "wide"}, "config.width = 'wide' is not accepted: give int"),
        ({"width": True}, "give int"),
        ({"width": 0}, "at least 1"),
        ({"active_experts": 5}, r"at most experts \(4\)"),
        ({"dropout": 1.0}, r"in \[0, 1\)"),
        ({"learning_rate": 0.0}, "above 0"),
        ({"learning_rate": float("nan")}, "give a finite number"),
        ({"learning_rate": float("inf")}, "config.learning_rate = inf is not accepted: give a finite number"),
        ({"clip_norm": float("inf")}, "give a finite number"),
        ({"weight_decay": -1.0}, "at least 0"),
        ({"conflict_weight": -1.0}, "at least 0"),
        ({"temperature": 0.0}, "above 0"),
        ({"latents": 1}, "at least 2"),
        ({"set_pool": "sum"}, "one of mean, max"),
        ({"optimizer": "lion"}, "one of adam, adamw, sgd"),
        ({"fusion_layer": 3}, r"at most fusion_layers \(2\)"),
        ({"encoders": "cnn"}, "config.encoders = 'cnn'"),
    ],
)
def test_what_is_not_accepted(changes, told):
    with pytest.raises(InputError, match=told):
        DEFAULTS.replace(**changes)


def test_an_int_serves_as_a_float_and_encoders_are_merged():
    config = DEFAULTS.replace(learning_rate=1, encoders={"radar": "mlp"})
    assert config.learning_rate == 1.0 and isinstance(config.learning_rate, float)
    assert config.encoder_of("radar", "vector") == "mlp" and config.encoder_of("lidar", "image") == "cnn"


def test_a_modality_may_be_called_as_another_kind():
    """MOSI's `video` is a vector: the encoder of moving images is not for it."""
    assert DEFAULTS.encoder_of("video", "vector") == "mlp" and DEFAULTS.encoder_of("eye", "video") == "video"


def test_to_dict_gives_it_back():
    config = config_for("avdigits")
    assert set(config.to_dict()) == {field.name for field in dataclasses.fields(Config)}
    assert DEFAULTS.replace(**config.to_dict()) == config
