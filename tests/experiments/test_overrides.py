import pytest

from experiments.overrides import join_overrides, read_overrides
from mmjax.errors import InputError


def test_a_dotted_flag_becomes_one_that_is_declared():
    argv = [
        "launch",
        "--config=a.py",
        "--config.width=32",
        "-config.bidirectional",
        "--seeds=2",
        "--config.encoders.image=mlp",
    ]
    assert join_overrides(argv) == [
        "launch", "--config=a.py", "--config=width=32", "--config=bidirectional=true", "--seeds=2",
        "--config=encoders.image=mlp",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text, value",
    [("32", 32), ("1e-3", 1e-3), ("true", True), ("False", False), ("cosine", "cosine"), ("", ""), ("a=b", "a=b")],
)
def test_values_are_literals_or_else_strings(text, value):
    read = read_overrides([f"field={text}"])["field"]
    assert read == value and type(read) is type(value)


def test_the_last_one_wins_and_encoders_add_up(tmp_path):
    file = tmp_path / "config.py"
    file.write_text("def get_config():\n    return {'width': 8, 'epochs': 2, 'encoders': {'image': 'lenet'}}\n")
    assert read_overrides(["width=1", str(file), "epochs=3", "encoders.audio=gru"]) == {
        "width": 8, "epochs": 3, "encoders": {"image": "lenet", "audio": "gru"},
    }  # fmt: skip


def test_the_last_of_one_field_wins_whatever_it_was_before():
    assert read_overrides(["width=1", "width=2"]) == {"width": 2}
    assert read_overrides(["encoders=mlp", "encoders.image=gru", "encoders.image=lenet"]) == {
        "encoders": {"image": "lenet"}
    }


def test_a_config_dict_serves_as_a_dict(tmp_path):
    file = tmp_path / "config.py"
    file.write_text(
        "from ml_collections import ConfigDict\n"
        "def get_config():\n    return ConfigDict({'encoders': {'image': 'mlp'}})\n"
    )
    assert read_overrides([str(file)]) == {"encoders": {"image": "mlp"}}


@pytest.mark.parametrize(
    "source, said",
    [
        ("def get_config(", "SyntaxError"),
        ("width = 3", "KeyError: 'get_config'"),
        ("def get_config():\n    return 1 / 0", "ZeroDivisionError"),
        ("def get_config():\n    return None", "NoneType"),
    ],
)
def test_a_file_that_gives_no_config_is_refused(tmp_path, source, said):
    file = tmp_path / "config.py"
    file.write_text(source)
    with pytest.raises(InputError, match=said):
        read_overrides([str(file)])


def test_a_file_that_is_not_there_is_refused():
    with pytest.raises(InputError, match="no such file"):
        read_overrides(["nowhere.py"])
