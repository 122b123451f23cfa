"""Every recipe: its builder keeps the rows that were read, its protocols keep their word, only train is fitted."""

import dataclasses

import numpy as np
import pytest

from mmjax.data import TASKS, load_task
from mmjax.data.build import built
from mmjax.data.dataset import Array, Label, Text
from mmjax.data.prepare import make_task, read_rows
from mmjax.data.recipes import RECIPES
from mmjax.data.sources import find_layout
from mmjax.errors import InputError
from mmjax.types import SPLITS

SPLIT_TWO_WAYS = [(name, protocol) for name, recipe in RECIPES.items() for protocol in recipe.protocols]


@pytest.fixture(scope="module", params=RECIPES)
def recipe_and_rows(request, dummy, cache_dir):
    """A recipe, what its reader reads, and what its builder gives."""
    recipe = RECIPES[request.param]
    folder = str(dummy(request.param))
    layout, paths = find_layout(folder, recipe.dataset.layouts)
    builder = built(recipe.make_builder, f"recipes-{request.param}", folder, cache_dir)
    return recipe, layout.read(paths), read_rows(builder)


def test_the_builder_gives_the_rows_that_were_read(recipe_and_rows):
    recipe, read, kept = recipe_and_rows
    assert list(read) == list(kept) and set(kept) <= set(SPLITS)
    for split, columns in read.items():
        for name, feature in recipe.dataset.features.items():
            values, again = np.asarray(columns[name]), kept[split][name]
            assert len(values) == len(again)
            if isinstance(feature, Array):
                np.testing.assert_array_equal(again, values.astype(feature.dtype))
            else:
                assert again.tolist() == values.tolist()


def test_features_say_what_they_hold(recipe_and_rows):
    recipe, read, _ = recipe_and_rows
    for columns in read.values():
        assert set(columns) >= set(recipe.dataset.features)
        for name, feature in recipe.dataset.features.items():
            values = np.asarray(columns[name])
            if isinstance(feature, Array):
                assert values.shape[1:] == feature.shape
            elif isinstance(feature, Label):
                assert 0 <= values.min() and values.max() < len(feature.names)
            else:
                assert isinstance(feature, Text) and all(isinstance(value, str) for value in values)


def test_what_is_fitted_sees_train_alone(recipe_and_rows):
    """Whatever stands in validation and test, every step learns the same."""
    recipe, _, rows = recipe_and_rows
    for variant in recipe.variants.values():
        columns = rows_of_variant(rows, variant)
        parts = {
            split: {name: values[place::3] for name, values in columns.items()} for place, split in enumerate(SPLITS)
        }
        others = dict.fromkeys(SPLITS, parts["train"])
        variant = dataclasses.replace(variant, rows=None)
        for modality, fitted in make_task("a", variant, ("official", 0), parts).preprocessing.items():
            again = make_task("a", variant, ("official", 0), others).preprocessing[modality]
            for state, same in zip(fitted.states, again.states, strict=True):
                assert state.keys() == same.keys()
                for key in state:
                    np.testing.assert_array_equal(state[key], same[key])


def rows_of_variant(rows, variant):
    """All rows of a variant, in an order that has every class in every third."""
    columns = {name: np.concatenate([rows[split][name] for split in rows]) for name in next(iter(rows.values()))}
    chosen = np.arange(len(columns[variant.target.column]))
    if variant.rows is not None:
        chosen = chosen[variant.rows(columns)]
    chosen = np.random.default_rng(0).permutation(chosen)
    return {name: values[chosen] for name, values in columns.items()}


@pytest.mark.parametrize(("name", "protocol"), SPLIT_TWO_WAYS)
def test_protocols_keep_their_word(name, protocol, dummy, cache_dir):
    recipe = RECIPES[name]
    title = f"{name}/{protocol}.1" if protocol != "official" else f"{name}/official"
    task = load_task(title, str(dummy(name)), str(cache_dir))
    assert task.name == title and TASKS[name].protocols == recipe.protocols
    assert all(task.splits[split].size for split in SPLITS)
    if recipe.groups is not None:
        for a, b in (("train", "validation"), ("train", "test"), ("validation", "test")):
            # The data set's own split is as it is: a warning tells of groups that it has on both sides.
            shared = set(task.groups[a]) & set(task.groups[b])
            assert not shared or (protocol == "official" and any("group" in each for each in task.warnings))
    sizes = {split: batch.size for split, batch in task.splits.items()}
    other = load_task(f"{name}/{protocol}.2" if protocol != "official" else name, str(dummy(name)), str(cache_dir))
    if protocol == "official" and recipe.variants[""].protocol == "official":
        assert other.fingerprint == task.fingerprint
    elif protocol != "official":
        assert other.fingerprint != task.fingerprint
    assert sum(sizes.values()) == sum(batch.size for batch in other.splits.values())


def test_an_unknown_protocol_is_named(dummy, cache_dir):
    with pytest.raises(InputError, match="fold.9 does not exist: accepted are fold.0 to fold.4"):
        load_task("mustard_text/fold.9", str(dummy("mustard_text")), str(cache_dir))
    with pytest.raises(InputError, match="conflict"):
        load_task("mosi/conflict.1", str(dummy("mosi")), str(cache_dir))


@pytest.mark.parametrize(
    "name, reason",
    [
        ("mosi", "text and video were trained with the labels of train and of validation"),
        ("mosi/dialogue", "text and video were trained with the labels of train and of validation"),
        ("mosi/words", "features of video were trained with the labels of train and of validation"),
        ("handwritten/tmc", "its examples are in train too, as the paper's protocol has it"),
        ("handwritten", ""),
        ("pie", ""),
    ],
)
def test_a_task_whose_validation_is_contaminated_says_so_prepared_or_not(name, reason, dummy, cache_dir):
    for _ in range(2):  # made, then read
        task = load_task(name, str(dummy(name.split("/")[0])), str(cache_dir))
        assert task.chooses == (not reason) and task.contaminated.endswith(reason)
    assert TASKS[name].contaminated == task.contaminated
