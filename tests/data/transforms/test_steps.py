"""Laws of every transform: plain settings, states without pickles, and each example's result its own affair."""

import json

import jax
import numpy as np
import pytest

from mmjax.data.transforms import preprocessing
from mmjax.data.transforms.contract import Column, apply_steps, fit_steps
from mmjax.data.transforms.registry import TRANSFORMS
from mmjax.errors import InputError

GENERATOR = np.random.default_rng(0)
N = 12
PRESENT = np.arange(N) % 5 != 4
TEXTS = np.array([f"Rise & fall w{place % 3} in v{place % 4} at https://a.b @ann, café" for place in range(N)], object)
LENGTHS = (1 + np.arange(N) % 6).astype(np.int32)


def column(*shape, lengths=None, rate=0.0, low=0.5, high=2.0):
    return Column(GENERATOR.uniform(low, high, (N, *shape)).astype(np.float32), PRESENT, lengths, rate=rate)


VECTORS, STEPS = column(5), column(6, 3, lengths=LENGTHS)
PICTURES = Column(GENERATOR.integers(0, 256, (N, 8, 6, 3)).astype(np.uint8), PRESENT)
SOUND = column(400, lengths=(100 + 25 * np.arange(N)).astype(np.int32), rate=1000.0, low=-1, high=1)
GAPS = VECTORS._replace(values=np.where(GENERATOR.random((N, 5)) < 0.3, np.nan, VECTORS.values).astype(np.float32))
MIXED = np.array([[str(place), "ab"[place % 2], str(place % 3)] for place in range(N)], object)

# name -> (settings, column, kind of what comes out, steps before it)
CASES = {
    "Centre": ({"joint": 1, "scale": 0.5}, column(6, 6, lengths=LENGTHS), "sequence"),
    "Channels": ({}, Column(PICTURES.values[..., 0], PRESENT), "image"),
    "Clean": ({}, Column(TEXTS, PRESENT), None),
    "Differences": ({}, STEPS, "sequence"),
    "Flatten": ({}, PICTURES, "vector"),
    "Grayscale": ({}, PICTURES, "image"),
    "HashedTerms": ({"features": 16}, Column(TEXTS, PRESENT), "vector"),
    "Impute": ({}, GAPS, "vector"),
    "LogMel": ({"bands": 8}, SOUND, "sequence"),
    "Loudest": ({"seconds": 0.2}, SOUND, "waveform"),
    "Mfcc": ({"bands": 8, "coefficients": 4}, SOUND, "sequence"),
    "Normalise": ({"by": "standard"}, PICTURES, "image"),
    "NormalisePoints": ({}, STEPS, "points"),
    "OneHot": ({"unseen": "own"}, Column(MIXED, PRESENT), "vector"),
    "Resample": ({"rate": 700}, SOUND, "waveform"),
    "Resize": ({"height": 4, "width": 5}, PICTURES, "image"),
    "Resteps": ({"steps": 4}, STEPS, "sequence"),
    "Returns": ({}, STEPS, "sequence"),
    "SampleFrames": ({"frames": 3}, Column(GENERATOR.random((N, 6, 4, 4, 1), np.float32), PRESENT, LENGTHS), "video"),
    "Scale": ({"clip": 2.0}, STEPS, "sequence"),
    "Stretches": ({"stretches": 4}, STEPS, "sequence"),
    "Table": ({"numbers": (0,)}, Column(MIXED, PRESENT), "vector"),
    "TfIdf": ({"components": 2}, Column(TEXTS, PRESENT), "vector"),
    "Tokens": ({"algorithm": "bpe", "vocabulary": 40}, Column(TEXTS, PRESENT), "tokens"),
    "VoxelSubsample": ({"size": 0.5}, STEPS, "points"),
    "Window": ({"steps": 4}, STEPS, "sequence"),
}


@pytest.fixture(params=TRANSFORMS)
def case(request):
    settings, values, kind = CASES[request.param]
    return TRANSFORMS[request.param](**settings), values, kind


def assert_same(first, second):
    assert len(first.values) == len(second.values)
    there = first.present
    assert np.array_equal(first.present, second.present)
    if first.values.dtype == object:
        assert first.values[there].tolist() == second.values[there].tolist()
    else:
        np.testing.assert_array_equal(first.values[there], second.values[there], strict=True)
    if first.lengths is not None:
        np.testing.assert_array_equal(first.lengths[there], second.lengths[there], strict=True)


def test_what_is_kept_does_the_same(case, tmp_path):
    step, values, kind = case
    if kind is None:
        step, kind = (step, TRANSFORMS["Tokens"]()), "tokens"
    fitted = preprocessing.fit("a", kind, step if isinstance(step, tuple) else (step,), values)
    preprocessing.save({"a": fitted}, tmp_path)
    again = preprocessing.load(tmp_path)["a"]
    assert again.spec == fitted.spec and again.steps == fitted.steps
    assert_same(fitted.apply(values), again.apply(values))
    assert fitted.apply(values).values.shape[1:] == fitted.spec.shape
    with np.load(tmp_path / preprocessing.STATES, allow_pickle=False) as states:  # no pickle among them
        assert all(states[name].dtype != object for name in states.files)


def test_an_example_is_no_affair_of_the_others(case):
    """Applied to some examples, or in another order, each is what it is among all."""
    step, values, _ = case
    state = step.fit(values)
    whole = step.apply(state, values)
    chosen = np.array([7, 2, 11])
    part = step.apply(state, values.take(chosen))
    if whole.values.dtype.kind == "f":
        # Matrix products of other sizes add up in another order: 1e-5 is some eighty roundings of float32.
        np.testing.assert_allclose(part.values, whole.values[chosen], rtol=1e-5, atol=1e-5)
    else:
        assert_same(whole.take(chosen), part)


def test_what_stands_where_nothing_is_there_is_never_fitted(case):
    step, values, _ = case
    other = values.values.copy()
    other[~PRESENT] = "zebra zebra" if other.dtype == object else 200
    states = [step.fit(each) for each in (values, values._replace(values=other))]
    assert states[0].keys() == states[1].keys()
    jax.tree.map(np.testing.assert_array_equal, *[dict(state) for state in states])


def test_padding_is_never_fitted_nor_heard(case):
    step, values, _ = case
    if values.lengths is None:
        return
    other = values.values.copy()
    other[np.arange(other.shape[1]) >= values.lengths[:, None]] = 0.25
    padded = values._replace(values=other)
    state = step.fit(values)
    jax.tree.map(np.testing.assert_array_equal, dict(state), dict(step.fit(padded)))
    first, second = step.apply(state, values), step.apply(state, padded)
    if first.lengths is None:
        assert_same(first, second)
        return
    valid = first.valid
    np.testing.assert_allclose(first.values[valid], second.values[valid], rtol=1e-5, atol=1e-6)


def test_settings_are_plain(case):
    from mmjax.data.transforms.contract import settings_of

    step = case[0]
    settings = json.loads(json.dumps(settings_of(step)))
    name = settings.pop("transform")
    again = TRANSFORMS[name](**{key: tuple(v) if isinstance(v, list) else v for key, v in settings.items()})
    assert again == step


def test_steps_are_fitted_on_what_the_ones_before_make():
    steps = (TRANSFORMS["Impute"](), TRANSFORMS["Scale"]())
    states = fit_steps(steps, GAPS)
    made = apply_steps(steps, states, GAPS).values[PRESENT]
    np.testing.assert_allclose(made.mean(axis=0), 0, atol=1e-6)  # float32 of 10 numbers of mean 0


@pytest.mark.parametrize(
    ("name", "settings", "told"),
    [
        ("Scale", {"by": "robust"}, "Scale: by = 'robust'.*standard or min_max"),
        ("Impute", {"strategy": "guess"}, "Impute: strategy = 'guess'"),
        ("OneHot", {"unseen": "error"}, "OneHot: unseen"),
        ("Clean", {"form": "NFX"}, "Clean: form = 'NFX'"),
        ("Tokens", {"algorithm": "sentencepiece"}, "Tokens: algorithm"),
        ("Tokens", {"keep": "middle"}, "Tokens: keep"),
        ("Normalise", {"by": "max"}, "Normalise: by"),
        ("Resize", {"height": 0, "width": 3}, "Resize: height = 0.*1 or more"),
        ("Resample", {"rate": 0}, "Resample: rate = 0"),
        ("SampleFrames", {"frames": 0}, "SampleFrames: frames = 0"),
        ("Resteps", {"steps": 1}, "Resteps: steps = 1.*2 or more"),
        ("Stretches", {"stretches": 0}, "Stretches: stretches = 0.*1 or more"),
        ("Window", {"steps": -1}, "Window: steps = -1"),
        ("Returns", {"kind": "excess"}, "Returns: kind"),
        ("VoxelSubsample", {"size": float("nan")}, "VoxelSubsample: size = nan.*above 0"),
    ],
)
def test_settings_that_are_not_accepted(name, settings, told):
    with pytest.raises(InputError, match=told):
        TRANSFORMS[name](**settings)


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda path: path.unlink(), "preprocessing.json"),
        (lambda path: path.write_text("{"), "preprocessing.json"),
        (lambda path: path.write_text(path.read_text().replace('"Scale"', '"Scael"')), "did you mean 'Scale'"),
        (lambda path: path.write_text(path.read_text().replace('"clip"', '"clop"')), "prepare the task again"),
        (lambda path: path.with_name(preprocessing.STATES).write_bytes(b"PK"), "preprocessing.npz"),
    ],
)
def test_what_is_broken_is_named(damage, told, tmp_path):
    preprocessing.save({"a": preprocessing.fit("a", "vector", (TRANSFORMS["Scale"](),), VECTORS)}, tmp_path)
    damage(tmp_path / preprocessing.SETTINGS)
    with pytest.raises(InputError, match=told):
        preprocessing.load(tmp_path)


def test_new_examples_of_another_length_are_padded_or_cut():
    train = Column(np.ones((4, 6, 2), np.float32), np.ones(4, bool), np.array([6, 2, 3, 4], np.int32))
    fitted = preprocessing.fit("a", "sequence", (), train)
    short = fitted.apply(Column(np.ones((1, 3, 2)), np.ones(1, bool), np.array([2], np.int32)))
    long = fitted.apply(Column(np.ones((1, 9, 2)), np.ones(1, bool)))
    assert short.values.shape == long.values.shape == (1, 6, 2)
    assert list(short.lengths) == [2] and short.values.sum() == 4 and list(long.lengths) == [6]
