"""Whatever things are called, their files have names that every system takes, and each its own."""

import pytest

from mmjax.file_names import MOST_BYTES, file_name, file_names


@pytest.mark.parametrize("text", ["tiny-concat-joint", "avdigits.clean", "心電図-joint", "a+b_c"])
def test_plain_names_stay(text):
    assert file_name(text) == text


@pytest.mark.parametrize(
    "text", ["../../etc/passwd", "a\nb", 'x:*?"<>|\\y', "\0", "[/INST]", "=cmd", "é" * 300, "a" * 4096, "~", "CON "]
)
def test_odd_names_become_one_part_of_a_path(tmp_path, text):
    name = file_name(text)
    assert not set(name) & set('/\\\0\n:*?"<>|') and not name.startswith(".") and len(name.encode()) <= MOST_BYTES
    (tmp_path / f"{name}.png").write_text("")
    assert [path.name for path in tmp_path.iterdir()] == [f"{name}.png"]


def test_long_names_that_end_differently_are_told_apart():
    assert file_name("a" * 300 + "b") != file_name("a" * 300 + "c")


def test_no_two_texts_share_a_file_even_where_case_does_not_count():
    texts = ["data a", "data-a", "Data a", "data/b", "data.b", "c", "d"]
    names = file_names(texts)
    assert len({name.casefold() for name in names.values()}) == len(texts)
    assert names["c"] == "c" and names == file_names(reversed(texts))
