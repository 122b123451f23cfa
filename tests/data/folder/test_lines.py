"""A task.yaml is read as texts, lists and mappings, and a hostile one is refused at once, with its line."""

import pytest

from mmjax.data.folder.lines import MOST_BYTES, read_yaml
from mmjax.errors import InputError


def read(tmp_path, text):
    (tmp_path / "task.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_yaml(tmp_path / "task.yaml")


WORDS = ("no", "on", "1e3", "01", "1_000", "0x10", "2021-01-01", "null", "~", "12:30:45", ".5", "None", "yes")


def test_every_scalar_is_the_text_that_stands_there(tmp_path):
    content = read(tmp_path, f"names: [{', '.join(WORDS)}]\n" + "".join(f"{word}: {word}\n" for word in WORDS))
    assert content["names"] == list(WORDS)
    assert {word: content[word] for word in WORDS} == {word: word for word in WORDS}
    assert content.lines["names"] == 1 and content.lines["on"] == 3


def test_quotes_and_other_marks_are_yaml_s(tmp_path):
    content = read(tmp_path, "a: '\\t'\nb: \"\\t\"\nc: |\n  two\n  lines\nd: !!str 1\ne:\n")
    assert content == {"a": "\\t", "b": "\t", "c": "two\nlines\n", "d": "1", "e": ""}


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    "text, told",
    [
        (BOMB, "line 1: &a is an alias"),
        ("x: 1\nsource: &s [*s]\n", "line 2: &s is an alias"),
        ("x: 1\ny: *x\n", "line 2: *x is an alias"),
        ("a: " + "[" * 10_000 + "]" * 10_000, "line 1"),
        ("".join(f"{' ' * place}a:\n" for place in range(1000)), "line 11: more than 10 lists"),
        ("{" * 10_000, "line 1"),
        ("? [a, b]\n: 1\n", "line 1: a key is no text"),
        ("? {a: b}\n: 1\n", "line 1: a key is no text"),
        ("a: 1\nb: !!python/object/apply:os.system [ls]\n", "line 2: 'tag:yaml.org,2002:python/object"),
        ("a: !!binary aGk=\n", "line 1: 'tag:yaml.org,2002:binary'"),
        ("a: 1\n---\nb: 2\n", "line 2: a second document"),
        ("a: 1\na: 2\n", "line 2: 'a' is there twice, first in line 1"),
        ("a: [1\n", "correct that line"),
        ("a:\n\tb: 2\n", "line 2: a tab stands before the text; indent by spaces"),
        ("a:\n  c: 1\n  \tb: 2\n", "line 3: a tab stands before the text; indent by spaces"),
        ("a: x\0y\n", "correct that line"),
        (b"a: \xff\n", "UTF-8"),
        ("a: 1\n".encode("utf-16-le"), "correct that line"),  # without its mark
        ("", "holds no mapping"),
        ("just words\n", "holds no mapping"),
        ("- a\n- b\n", "holds no mapping"),
        ("# " + "x" * MOST_BYTES, "accepted are 2,097,152"),
    ],
)
def test_what_is_no_plain_yaml_is_refused_in_one_sentence(tmp_path, text, told):
    with pytest.raises(InputError) as error:
        read(tmp_path, text)
    sentence = str(error.value)
    assert told in sentence and "task.yaml" in sentence and "\n" not in sentence and len(sentence) < 400


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_says_the_encoding(tmp_path, encoding):
    content = read(tmp_path, "name: größe\r\nsource: x\r\n".encode(encoding))
    assert content == {"name": "größe", "source": "x"} and content.lines["source"] == 2


def test_a_file_that_is_none_is_told(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read_yaml(tmp_path / "nowhere.yaml")
