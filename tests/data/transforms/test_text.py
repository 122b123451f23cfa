"""Strings to ids and to weights."""

import string
import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmjax.data.transforms.contract import Column
from mmjax.data.transforms.text import ALGORITHMS, PADDING, UNKNOWN, Clean, HashedTerms, TfIdf, Tokens
from mmjax.errors import InputError

TRAIN = ["the cat sat", "the dog sat", "the cat ran away", "a dog ran"]


def column(*texts):
    values = np.empty(len(texts), object)
    values[:] = texts
    return Column(values, np.ones(len(texts), bool))


@pytest.mark.parametrize(
    ("settings", "text", "cleaned"),
    [
        ({}, "  See\n\tHTTPS://a.b/c?d=1  NOW ", "see URL now"),
        ({}, "@Ann_1: me@home.org", "USER: me@home.org"),
        ({"url": "", "mention": "", "lower": False}, "@Ann www.a.b", "@Ann www.a.b"),
        ({}, "ﬁne №1", "fine no1"),
        ({"strip_accents": True}, "Crème Brûlée", "creme brulee"),
        ({"lower": False}, "e\u0301", "é"),
    ],
)
def test_cleaning(settings, text, cleaned):
    assert Clean(**settings).apply({}, column(text)).values[0] == cleaned


@given(st.text(st.characters(exclude_categories=("Cc", "Cs"))))  # Python strips some control characters too
def test_clean_text_is_normal_and_stays_as_it_is(text):
    once = Clean(url="", mention="").apply({}, column(text)).values
    assert once[0] == once[0].strip() and "  " not in once[0]
    twice = Clean(url="", mention="").apply({}, column(once[0])).values
    assert unicodedata.normalize("NFKC", twice[0]) == unicodedata.normalize("NFKC", once[0])


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_known_text_is_never_unknown_and_padding_is_0(algorithm):
    step = Tokens(algorithm, vocabulary=60, least=1)
    state = step.fit(column(*TRAIN))
    made = step.apply(state, column(*TRAIN))
    valid = np.arange(made.values.shape[1]) < made.lengths[:, None]
    assert (made.values[valid] > 1).all() and not made.values[~valid].any()
    assert made.values.max() < made.vocabulary <= 60 and made.lengths.max() == made.values.shape[1]
    assert f'"{PADDING}"' in str(state["tokenizer"]) and f'"{UNKNOWN}"' in str(state["tokenizer"])


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@given(st.text(alphabet=string.printable + "éß漢🙂", max_size=40))
def test_any_text_has_ids_and_a_length(algorithm, text):
    step = Tokens(algorithm, vocabulary=60, least=1)
    made = step.apply(STATES.setdefault(algorithm, step.fit(column(*TRAIN))), column(text, ""))
    assert (made.lengths >= 1).all() and (made.lengths <= made.values.shape[1]).all()
    assert made.values.min() >= 0 and made.values.max() < made.vocabulary and made.values[1, 0] == 1


STATES = {}  # fitted once for all examples that Hypothesis tries


def test_rare_and_unseen_words_are_one():
    step = Tokens(least=2)
    ids = step.apply(step.fit(column(*TRAIN)), column("the zebra away")).values[0]
    assert ids[0] > 1 and list(ids[1:3]) == [1, 1]


@pytest.mark.parametrize(("keep", "kept"), [("first", "the cat"), ("last", "ran away")])
def test_which_end_of_a_longer_text_is_kept(keep, kept):
    step = Tokens(least=1, length=2, keep=keep)
    state = step.fit(column(*TRAIN))
    long, short = step.apply(state, column("the cat ran away", kept)).values
    np.testing.assert_array_equal(long, short)


def test_tf_idf_is_scikit_learns():
    from sklearn.feature_extraction.text import TfidfVectorizer

    step = TfIdf(least=1)
    state = step.fit(column(*TRAIN))
    expected = TfidfVectorizer(sublinear_tf=True).fit(TRAIN).transform(["the cat cat", "zebra"]).toarray()
    made = step.apply(state, column("the cat cat", "zebra")).values
    np.testing.assert_allclose(made, expected, rtol=1e-6)  # float64 rounded to float32
    assert not made[1].any()


def test_directions_are_never_more_than_train_has():
    step = TfIdf(least=1, components=50)
    made = step.apply(step.fit(column(*TRAIN)), column(*TRAIN)).values
    assert made.shape == (4, 4)
    np.testing.assert_allclose(made @ made.T, (lambda w: w @ w.T)(full_weights()), atol=1e-6)  # all of the variance


def full_weights():
    step = TfIdf(least=1)
    return step.apply(step.fit(column(*TRAIN)), column(*TRAIN)).values


def test_without_a_frequent_term_it_says_so():
    with pytest.raises(InputError, match="TfIdf: no term occurs in 3 texts of train; lower `least`"):
        TfIdf(least=3).fit(column("a1 b1", "a2 b2"))


def test_hashing_fits_nothing():
    step = HashedTerms(features=32)
    made = step.apply(step.fit(column("a")), column("dog cat", "cat dog", "bird")).values
    assert step.fit(column("a")) == {} and made.shape == (3, 32)
    np.testing.assert_array_equal(made[0], made[1])
    np.testing.assert_allclose(np.linalg.norm(made, axis=1), 1, rtol=1e-6)


UNSPACED = {
    "Chinese": ["今天真开心", "昨天真倒霉", "今天真倒霉"],
    "Japanese": ["今日はコーヒーを飲む", "昨日はコーヒーを飲む", "今日は水を飲む"],
    "Thai": ["วันนี้ดีมาก", "วันนี้แย่มาก", "เมื่อวานดีมาก"],
    "mixed": ["新しい iPhone です", "古い iPhone です", "新しい Android です"],
}


@pytest.mark.parametrize("language", UNSPACED)
def test_text_without_spaces_has_known_words(language):
    texts = UNSPACED[language]
    step = Tokens(least=1)
    made = step.apply(step.fit(column(*texts)), column(*texts))
    valid = np.arange(made.values.shape[1]) < made.lengths[:, None]
    assert (made.values[valid] > 1).all() and made.lengths.min() > 2 and made.vocabulary > 6
    terms = TfIdf(least=1)
    assert (terms.apply(terms.fit(column(*texts)), column(*texts)).values > 0).sum(axis=1).min() > 2
    assert np.count_nonzero(HashedTerms().apply({}, column(*texts)).values, axis=1).min() > 2


def test_whether_text_has_spaces_is_decided_on_train_and_kept():
    """A few foreign words among many change no vocabulary; new text is cut as train's was."""
    english = Tokens(least=1)
    few = english.fit(column(*TRAIN * 10, "東京 is far"))
    assert "Split" not in str(few["tokenizer"])
    chinese = Tokens(least=1)
    state = chinese.fit(column(*UNSPACED["Chinese"]))
    alone, beside = (chinese.apply(state, column(*texts)).values[0] for texts in (["今天"], ["今天", "the cat", "x"]))
    np.testing.assert_array_equal(alone, beside)
    assert np.count_nonzero(alone) == 2


def test_words_with_spaces_are_as_they_were():
    from tokenizers import pre_tokenizers

    text = "Don't stop, naïve 한국어 텍스트 and Ελληνικά: x_1 3.5!"
    step = Tokens(least=1, length=50)
    made = step.apply(step.fit(column(text)), column(text))
    assert made.lengths[0] == len(pre_tokenizers.Whitespace().pre_tokenize_str(text))


def test_a_text_that_is_longer_than_anybody_asked_for_is_told():
    long = " ".join(["the cat"] * 200)
    step = Tokens(least=1)
    assert step.apply(step.fit(column(long)), column(long, "the cat")).cut.tolist() == [400 - 256, 0]
    asked = Tokens(least=1, length=9)
    assert asked.apply(asked.fit(column(long)), column(long)).cut is None
