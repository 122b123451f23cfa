"""A module gets the config's fields that it declares, and no others."""

import dataclasses

import pytest

from mmjax.config import Config
from mmjax.errors import InputError
from mmjax.registry import build


@dataclasses.dataclass
class Declares:
    outputs: int
    width: int = 1
    own: str = "kept"


def test_declared_fields_are_filled():
    made = build({"it": Declares}, "decoder", "it", Config(width=16), outputs=3, axis_name="not declared")
    assert made == Declares(outputs=3, width=16, own="kept")


def test_unknown_names_are_told():
    with pytest.raises(InputError, match="unknown decoder 'its': valid are it; did you mean 'it'"):
        build({"it": Declares}, "decoder", "its", Config())
