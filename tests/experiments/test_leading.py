"""What the first of several processes trains, the others train too, and nothing else."""

import dataclasses
import json

import jax
import pytest

from experiments import leading
from experiments.leading import follow
from mmjax.config import Config
from mmjax.training.checkpoint import Keep
from mmjax.training.parallel import Placement
from mmjax.training.results import Interrupted


@pytest.fixture
def told(monkeypatch):
    """Stands in for two processes: what the first says is kept, in order, and then heard by the other."""
    said, hearing = [], []

    def from_first(value):
        if hearing:
            return said.pop(0)
        said.append(json.loads(json.dumps(value)))
        return value

    monkeypatch.setattr(leading, "from_first", from_first)
    monkeypatch.setattr(jax, "process_count", lambda: 2)
    return said, hearing


class Noted:
    """A training that only notes how it is called, and may fail."""

    def __init__(self, fails=None):
        self.calls, self.fails = [], fails

    def __call__(self, task, fusion, strategy, config, seeds, placement, keep, on_progress, **options):
        options.pop("stop", None)
        self.calls.append((task.name, fusion, strategy, config, seeds, placement, keep, options))
        if self.fails:
            raise self.fails


CONFIG = Config(width=8, encoders={"vector": "linear"})


@pytest.mark.parametrize("fails", [None, jax.errors.JaxRuntimeError("no memory"), Interrupted()], ids=repr)
def test_others_are_called_as_the_first_is(told, task, tmp_path, fails):
    said, hearing = told
    first, other = Noted(), Noted(fails)
    keep, placement = Keep(tmp_path / "steps", "identity", 3, 1.5), Placement(len(jax.devices()))
    with leading.leading(first) as train:
        train(task, "concat", "joint", CONFIG, (0, 1), placement, keep, print, stop=bool, data="stream")
        rates = (1e-3, 1e-2)
        train(task, "gmu", "staged", CONFIG, (5, 5), placement, None, print, learning_rates=rates,
              splits=("validation",), data="auto")  # fmt: skip
        train(task, "concat", "joint", CONFIG, (0, 1), placement, None, print, splits=("validation", "test"),
              finished=(str(tmp_path / "0"), str(tmp_path / "1")))  # fmt: skip
    hearing.append(True)
    follow([task], placement, other, stop=bool)
    assert other.calls == first.calls and not said


def test_of_two_tasks_of_one_name_the_others_train_the_one_that_the_first_trains(told, task, tmp_path):
    said, hearing = told
    tasks = [dataclasses.replace(task, label=f"tiny ({place})", fingerprint=place) for place in ("a/tiny", "b/tiny")]
    trained = []

    def note(task, *_, **__):
        trained.append(task.fingerprint)

    placement = Placement(len(jax.devices()))
    with leading.leading(note) as train:
        for each in tasks[::-1]:
            train(each, "concat", "joint", CONFIG, (0,), placement, None, print, stop=bool)
    hearing.append(True)
    follow(tasks, placement, note, stop=bool)
    assert trained == 2 * ["b/tiny", "a/tiny"]


def test_others_are_dismissed_when_the_first_is_stopped(told, task):
    said, hearing = told
    with pytest.raises(KeyboardInterrupt), leading.leading(Noted()):
        raise KeyboardInterrupt
    hearing.append(True)
    follow([task], Placement(len(jax.devices())), Noted(), stop=bool)
    assert not said


def test_one_process_leads_nobody():
    train = Noted()
    with leading.leading(train) as led:
        assert led is train
