"""An unknown name is told with the valid ones and the nearest."""

import pytest

from mmjax.errors import InputError, lookup


def test_lookup_finds():
    assert lookup({"mean": 1}, "fusion", "mean") == 1


@pytest.mark.parametrize(
    "name, told",
    [
        ("maen", "unknown fusion 'maen': valid are mean, product; did you mean 'mean'?"),
        ("zzz", "unknown fusion 'zzz': valid are mean, product"),
    ],
)
def test_lookup_tells(name, told):
    with pytest.raises(InputError) as error:
        lookup({"product": 1, "mean": 2}, "fusion", name)
    assert str(error.value) == told
