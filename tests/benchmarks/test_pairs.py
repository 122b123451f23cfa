"""Contestants take turns, and ratios are taken within a round."""

import builtins

import pytest

from benchmarks.pairs import PAIRS, Contestant, in_turns, options_of, sentences
from mmjax.errors import InputError


def test_turns_alternate_and_the_median_ratio_is_of_rounds():
    turns = []

    def contestant(name, rates):
        rates = iter(rates)
        return lambda: turns.append(name) or next(rates)

    # The machine is three times slower in the second round, for both: the ratio does not see it.
    rates = {"ours": [30.0, 10.0, 8.0], "theirs": [15.0, 5.0, 1.0]}
    result = in_turns({name: Contestant(contestant(name, of_name), 1) for name, of_name in rates.items()}, 3)
    assert turns == ["ours", "theirs"] * 3
    assert result["ratio"] == {"theirs": 2}
    assert result["samples_per_second"] == rates


def test_a_ratio_says_how_many_seeds_it_compares():
    contestants = {"ours": Contestant(lambda: 30.0, 30), "theirs": Contestant(lambda: 3.0, 1)}
    result = in_turns(contestants, 1)
    assert result["seeds_side_by_side"] == {"ours": 30, "theirs": 1}
    assert sentences(result) == ["ours, 30 seeds side by side, is 10.00 x theirs, one seed"]


def test_a_record_has_what_was_not_given_too():
    assert options_of("tmc", {}) == {"seeds": 30, "epochs": 40}
    assert options_of("tmc", {"seeds": 1}) == {"seeds": 1, "epochs": 40}
    assert all(set(options_of(pair, {})) == {"seeds", "epochs"} for pair in PAIRS)


@pytest.mark.parametrize("pair", ["tmc", "article"])
def test_a_missing_framework_says_what_to_install(pair, monkeypatch):
    def without_frameworks(name, *args, **kwargs):
        if name in ("torch", "keras") or name == "benchmarks.peers":
            raise ImportError("no module", name=name)
        return original(name, *args, **kwargs)

    original = builtins.__import__
    monkeypatch.setattr(builtins, "__import__", without_frameworks)
    with pytest.raises(InputError, match=r"pip install 'mmjax\[peers\]'"):
        PAIRS[pair](None)
