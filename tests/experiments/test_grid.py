import dataclasses
import random

import pytest
from small_tasks import small_task

from experiments.grid import (
    UNTRAINED,
    Cell,
    Run,
    cells_of,
    check_encoders,
    digest,
    fusions_of,
    obstacle,
    source_hash,
    strategies_of,
    unimodal_names,
)
from mmjax.config import DEFAULTS
from mmjax.errors import InputError
from mmjax.evaluation.classical import CLASSICAL
from mmjax.fusion import FUSIONS, LEVELS
from mmjax.training.strategies import STRATEGIES
from mmjax.types import ModalitySpec

# One accepted value other than the default for every field of Config.
CHANGED = {
    "encoders": {"vector": "linear"},
    "decoder": "mlp",
    "augment": "flip",
    "optimizer": "sgd",
    "schedule": "cosine",
    "precision": "bfloat16",
    "selection": "last",
    "fusion_layer": 0,
    "heads": 2,
    "set_pool": "max",
}


def changed(name):
    default = getattr(DEFAULTS, name)
    if name in CHANGED:
        return CHANGED[name]
    return not default if isinstance(default, bool) else default * 2 or type(default)(0.5) or 1


def test_a_level_stands_for_its_registry_and_all_for_everything(task):
    for level, registry in LEVELS.items():
        assert fusions_of(task, [level]) == list(registry)
    assert fusions_of(task, ["unimodal"]) == unimodal_names(task) == ["unimodal/sight", "unimodal/sound"]
    assert set(fusions_of(task, ["all"])) == {*FUSIONS, *unimodal_names(task)}
    assert strategies_of(["all"]) == list(STRATEGIES)


def test_a_name_given_twice_counts_once(task):
    assert fusions_of(task, ["concat", "feature", "concat"]) == fusions_of(task, ["concat", "feature"])
    assert fusions_of(task, ["all", "all"]) == fusions_of(task, ["all"])
    assert strategies_of(["joint", "all", "joint"]) == strategies_of(["joint", "all"])


@pytest.mark.parametrize(
    "name, nearest", [("concta", "concat"), ("unimodal/sigth", "unimodal/sight"), ("featur", "feature")]
)
def test_an_unknown_fusion_is_refused_with_the_nearest(task, name, nearest):
    with pytest.raises(InputError, match=f"did you mean '{nearest}'"):
        fusions_of(task, ["concat", name])


def test_an_unknown_strategy_is_refused_with_the_nearest():
    with pytest.raises(InputError, match="did you mean 'joint'"):
        strategies_of(["jont"])


@pytest.mark.parametrize(
    "names", [["mean"], ["all"], ["unimodal/sound", "product", "concat"], ["oracle"], ["majority"]]
)
def test_every_cell_comes_once_and_after_those_it_needs(task, names):
    cells = cells_of(task, names, ["all"], DEFAULTS)
    places = {(cell.fusion, cell.strategy): place for place, cell in enumerate(cells)}
    assert len(places) == len(cells)
    assert cells[0].fusion == "majority"
    for cell in cells:
        if cell.is_rule:
            needed = [places[name, cell.strategy] for name in unimodal_names(task)]
            assert max(needed) < places[cell.fusion, cell.strategy]


def test_a_single_modality_asks_for_no_other(task):
    cells = cells_of(task, ["unimodal/sound", "concat"], ["joint"], DEFAULTS)
    assert [cell.fusion for cell in cells] == ["majority", "unimodal/sound", "concat"]


def test_classical_baselines_come_by_their_name_alone_and_once(task):
    assert not set(CLASSICAL) & set(fusions_of(task, ["all"]))
    cells = cells_of(task, ["classical", "random_forest", "concat"], ["joint", "auxiliary"], DEFAULTS)
    assert [cell.fusion for cell in cells] == ["majority", *CLASSICAL, "concat", "concat"]
    assert {cell.level for cell in cells[:-2]} == {"baseline"}
    assert {cell.strategy for cell in cells[:-2]} == {UNTRAINED}


def test_a_fusion_that_the_target_forbids_says_why(task, regression_task):
    cell = Cell(task.name, "evidential", "joint", DEFAULTS)
    assert obstacle(task, cell) is None
    assert "regression" in obstacle(regression_task, cell)
    assert obstacle(regression_task, dataclasses.replace(cell, fusion="unimodal/sight")) is None


def test_encoders_are_for_modalities_and_kinds_of_any_task(task):
    other = small_task((ModalitySpec("image", "vector", (3,)), ModalitySpec("walk", "sequence", (4, 2))))
    check_encoders({"encoders": {"sight": "mlp", "vector": "mlp", "walk": "gru", "sequence": "gru"}}, [task, other])
    check_encoders({}, [task])
    for name in ("image", "tokens", "", "sight "):  # a modality called as a kind that is not its own takes its own's
        with pytest.raises(InputError, match=f"config.encoders: unknown modality or kind {name!r}"):
            check_encoders({"encoders": {name: "mlp"}}, [task, other])


RUN = Run(Cell("tiny", "concat", "joint", DEFAULTS), 0, "f00d")


def test_a_hash_does_not_depend_on_the_order_of_keys():
    items = list(RUN.identity.items())
    random.Random(0).shuffle(items)
    assert digest(dict(items)) == digest(RUN.identity)
    # Worked out once by `printf '{"a": 1}' | sha256sum`: names of runs outlive the process that gave them.
    assert digest({"a": 1}) == "f9d86028c6e0"


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(DEFAULTS)])
def test_every_hyper_parameter_makes_another_run(name):
    config = dataclasses.replace(DEFAULTS, **{name: changed(name)})
    assert dataclasses.replace(RUN, cell=dataclasses.replace(RUN.cell, config=config)).name != RUN.name


@pytest.mark.parametrize("change", [{"seed": 1}, {"fingerprint": "beef"}])
def test_seed_and_data_make_another_run(change):
    assert dataclasses.replace(RUN, **change).name.rpartition("-")[2] != RUN.name.rpartition("-")[2]


@pytest.mark.parametrize("change", [{"task": "tiny/clean"}, {"fusion": "weighted"}, {"strategy": "staged"}])
def test_every_part_of_a_cell_makes_another_run(change):
    other = dataclasses.replace(RUN, cell=dataclasses.replace(RUN.cell, **change))
    assert other.name.rpartition("-")[2] != RUN.name.rpartition("-")[2]


def test_what_a_task_is_called_beside_others_makes_no_other_run():
    other = dataclasses.replace(RUN, cell=dataclasses.replace(RUN.cell, label="tiny (a/tiny)"))
    assert other.name == RUN.name and other.cell.title == "tiny (a/tiny) concat joint"


def test_a_name_is_one_folder():
    run = Run(Cell("avdigits/clean", "unimodal/audio", "joint", DEFAULTS), 3, "f00d")
    assert run.name.startswith("avdigits.clean-unimodal.audio-joint-seed3-")
    assert "/" not in run.name
    long = dataclasses.replace(
        RUN, cell=dataclasses.replace(RUN.cell, task="x" * 250, fusion="unimodal/../\n" + "é" * 99)
    )
    assert len(long.name.encode()) < 200 and not set("/\n") & set(long.name) and "-seed0-" in long.name


def test_source_counts_by_content_and_by_nothing_else(tmp_path):
    (tmp_path / "layer.py").write_text("one = 1\n")
    before = source_hash(tmp_path)
    (tmp_path / "notes.txt").write_text("no source\n")
    assert source_hash(tmp_path) == before
    (tmp_path / "layer.py").write_text("one = 2\n")
    assert source_hash(tmp_path) != before
