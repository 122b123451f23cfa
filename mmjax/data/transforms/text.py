"""Text as ids or as a vector of weighted terms."""

from __future__ import annotations

import dataclasses
import re

import numpy as np

from mmjax.data.transforms.contract import Column, State, choose
from mmjax.errors import InputError

FORMS = ("NFC", "NFD", "NFKC", "NFKD")
ALGORITHMS = ("words", "bpe", "unigram", "wordpiece")
PADDING, UNKNOWN = "[PAD]", "[UNK]"  # ids 0 and 1
LONGEST = 256  # tokens kept of a text, where no length is given
SEED = 0  # of the projection to components
# Characters of scripts that put no spaces between words: Thai, Lao, Burmese, Khmer, kana and Han.
UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
CLUSTER = rf"[{UNSPACED}]\p{{M}}*"  # one with the marks above and below it, as `tokenizers` writes it
TERM = rf"[{UNSPACED}]|[^\W{UNSPACED}]{{2,}}"  # one of them, or two other characters of a word and more
SEGMENTED = 0.05  # share of train's texts with two such characters in a row, from which each is a word of its own


@dataclasses.dataclass(frozen=True)
class Clean:
    """Normalise strings.

    Attributes:
      form: of Unicode, one of FORMS.
      lower: to lower case.
      strip_accents: drop combining marks.
      url, mention: what stands for addresses and for @names; "" leaves them.
    """

    form: str = "NFKC"
    lower: bool = True
    strip_accents: bool = False
    url: str = "URL"
    mention: str = "USER"

    def __post_init__(self):
        choose("Clean", "form", self.form, FORMS)

    def fit(self, column: Column) -> State:
        return {}

    def apply(self, state: State, column: Column) -> Column:
        from tokenizers import Regex, normalizers

        steps = [getattr(normalizers, self.form)()]
        steps += [normalizers.Lowercase()] if self.lower else []
        steps += [normalizers.NFD(), normalizers.StripAccents()] if self.strip_accents else []
        steps += [normalizers.Replace(Regex(r"https?://\S+|www\.\S+"), self.url)] if self.url else []
        steps += [normalizers.Replace(Regex(r"(?<!\w)@\w+"), self.mention)] if self.mention else []
        steps += [normalizers.Replace(Regex(r"\s+"), " "), normalizers.Strip()]
        normaliser = normalizers.Sequence(steps)
        return column._replace(values=_strings(normaliser.normalize_str(text) for text in _texts(column)))


@dataclasses.dataclass(frozen=True)
class Tokens:
    """Turn strings into ids, [n, T], by a vocabulary of train; 0 is padding, 1 a token that is not in it.

    Attributes:
      algorithm: "words" (words and punctuation; where train has scripts without spaces, as Chinese, Japanese and Thai,
        each of their characters is a word), or subwords by "bpe", "unigram" or "wordpiece".
      vocabulary: ids at most, the two above among them.
      least: a word that is rarer in train is unknown; of "words" and "wordpiece" and "bpe".
      length: T; 0 takes the longest text of train, LONGEST at most. Longer texts are cut, and a task says so.
      keep: which end of a longer text is kept, "first" or "last".
    """

    algorithm: str = "words"
    vocabulary: int = 10_000
    least: int = 2
    length: int = 0
    keep: str = "first"

    def __post_init__(self):
        choose("Tokens", "algorithm", self.algorithm, ALGORITHMS)
        choose("Tokens", "keep", self.keep, ("first", "last"))

    def fit(self, column: Column) -> State:
        from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers

        special = [PADDING, UNKNOWN]
        common = {"vocab_size": self.vocabulary, "special_tokens": special, "show_progress": False}
        frequent = common | {"min_frequency": self.least}
        model, trainer = {
            "words": lambda: (models.WordLevel(unk_token=UNKNOWN), trainers.WordLevelTrainer(**frequent)),
            "bpe": lambda: (models.BPE(unk_token=UNKNOWN), trainers.BpeTrainer(**frequent)),
            "wordpiece": lambda: (models.WordPiece(unk_token=UNKNOWN), trainers.WordPieceTrainer(**frequent)),
            "unigram": lambda: (models.Unigram(), trainers.UnigramTrainer(unk_token=UNKNOWN, **common)),
        }[self.algorithm]()
        tokenizer = Tokenizer(model)
        texts = [text for text, there in zip(_texts(column), column.present, strict=True) if there]
        splits = [pre_tokenizers.Whitespace()]
        if self.algorithm == "words" and _unspaced(texts):
            splits.append(pre_tokenizers.Split(Regex(CLUSTER), "isolated"))
        tokenizer.pre_tokenizer = splits[0] if len(splits) == 1 else pre_tokenizers.Sequence(splits)
        tokenizer.train_from_iterator(texts, trainer)
        longest = max((len(encoding.ids) for encoding in tokenizer.encode_batch(texts)), default=1)
        length = self.length or int(np.clip(longest, 1, LONGEST))
        return {"tokenizer": np.array(tokenizer.to_str()), "length": np.array(length)}

    def apply(self, state: State, column: Column) -> Column:
        from tokenizers import Tokenizer

        tokenizer, length = Tokenizer.from_str(str(state["tokenizer"])), int(state["length"])
        ids = np.zeros((len(column.values), length), np.int32)
        lengths, cut = np.ones(len(ids), np.int32), np.zeros(len(ids), int)
        unknown = tokenizer.token_to_id(UNKNOWN)
        for row, encoding in enumerate(tokenizer.encode_batch(_texts(column))):
            # A text without a token is one unknown token, so that whoever is present has a length.
            found = encoding.ids or [unknown]
            kept = found[:length] if self.keep == "first" else found[-length:]
            ids[row, : len(kept)], lengths[row], cut[row] = kept, len(kept), len(found) - len(kept)
        column = column if self.length else column.without(cut)
        return column._replace(values=ids, lengths=lengths, vocabulary=tokenizer.get_vocab_size())


@dataclasses.dataclass(frozen=True)
class TfIdf:
    """Turn strings into vectors of terms' frequencies, weighted by how few texts of train have the term.

    Attributes:
      features: the most frequent terms of train, so many at most.
      least: a term that fewer texts of train have is left out.
      grams: shortest and longest run of words (or characters) that is a term.
      analyzer: "word" (where train has scripts without spaces, each of their characters is one), "char" or "char_wb",
        as scikit-learn has them.
      components: above 0, the weighted terms are projected on so many directions of train (latent semantic analysis),
        on fewer where train has fewer texts or terms.
    """

    features: int = 5_000
    least: int = 2
    grams: tuple[int, int] = (1, 1)
    analyzer: str = "word"
    components: int = 0

    def fit(self, column: Column) -> State:
        texts = [text for text, there in zip(_texts(column), column.present, strict=True) if there]
        unspaced = self.analyzer == "word" and _unspaced(texts)
        vectoriser = self._vectoriser(unspaced, max_features=self.features, min_df=self.least)
        try:
            weights = vectoriser.fit_transform(texts)
        except ValueError as error:
            raise InputError(
                f"transform TfIdf: no term occurs in {self.least} texts of train; lower `least`"
            ) from error
        state = {"terms": vectoriser.get_feature_names_out().astype(str), "idf": vectoriser.idf_}
        if unspaced:
            state["unspaced"] = np.array(True)
        if self.components:
            from sklearn.decomposition import TruncatedSVD

            directions = min(self.components, *weights.shape)
            state["directions"] = TruncatedSVD(directions, random_state=SEED).fit(weights).components_
        return state

    def apply(self, state: State, column: Column) -> Column:
        vectoriser = self._vectoriser("unspaced" in state, vocabulary=state["terms"].tolist())
        vectoriser.idf_ = state["idf"]
        weights = vectoriser.transform(_texts(column))
        values = weights @ state["directions"].T if self.components else weights.toarray()
        return column._replace(values=np.asarray(values, np.float32))

    def _vectoriser(self, unspaced: bool, **settings):
        from sklearn.feature_extraction.text import TfidfVectorizer

        if unspaced:
            settings["token_pattern"] = TERM
        grams = tuple(self.grams)
        return TfidfVectorizer(
            ngram_range=grams, analyzer=self.analyzer, sublinear_tf=True, lowercase=False, **settings
        )


@dataclasses.dataclass(frozen=True)
class HashedTerms:
    """Turn strings into vectors of terms' frequencies, each term at a place that its hash says: nothing is fitted.

    Attributes:
      features: places.
      grams: shortest and longest run of words that is a term; of scripts without spaces each character is a word.
    """

    features: int = 1_024
    grams: tuple[int, int] = (1, 1)

    def fit(self, column: Column) -> State:
        return {}

    def apply(self, state: State, column: Column) -> Column:
        from sklearn.feature_extraction.text import HashingVectorizer

        how = {"ngram_range": tuple(self.grams), "lowercase": False, "token_pattern": TERM}
        hasher = HashingVectorizer(n_features=self.features, **how)
        return column._replace(values=hasher.transform(_texts(column)).toarray().astype(np.float32))


def _unspaced(texts: list[str]) -> bool:
    """Whether scripts without spaces are among the texts."""
    held = sum(bool(re.search(f"[{UNSPACED}]{{2}}", text)) for text in texts)
    return held > 0 and held >= SEGMENTED * len(texts)


def _texts(column: Column) -> list[str]:
    """The strings; "" where the example lacks the modality, whatever stands there."""
    return [str(text) if there else "" for text, there in zip(column.values, column.present, strict=True)]


def _strings(texts) -> np.ndarray:
    """[n] of objects, which NumPy would make an array of one width of."""
    texts = list(texts)
    values = np.empty(len(texts), object)
    values[:] = texts
    return values
