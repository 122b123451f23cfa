"""Pictures as they were saved: depth, turns, transparency; what cannot be read whole is refused by name."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from mmjax.data.folder.pictures import read_pictures
from mmjax.data.transforms.raw_form import RawForm
from mmjax.errors import InputError

TURN = 0x0112  # EXIF's tag of orientation
SIZE = (6, 8)


def encoded(array, ending="PNG", **settings):
    file = io.BytesIO()
    Image.fromarray(array).save(file, ending, **settings)
    return file.getvalue()


def colours_of_16_bits(height=4, width=5):
    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    pixels = b"".join(b"\0" + bytes(width * 6) for _ in range(height))
    heading = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", heading) + chunk(b"IDAT", zlib.compress(pixels)) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("dtype", "ending", "most"),
    [("uint8", "PNG", 255), ("uint16", "PNG", 65535), ("uint16", "TIFF", 4095), ("float32", "TIFF", 1),
     ("int32", "TIFF", 10**6)],
)  # fmt: skip
def test_every_value_of_a_file_is_read(dtype, ending, most):
    array = np.linspace(0, most, SIZE[0] * SIZE[1]).astype(dtype).reshape(SIZE)
    values, told = read_pictures([("a", encoded(array, ending)), ("b", None)], SIZE)
    expected = "float32" if dtype == "int32" else dtype
    assert values.dtype == expected and values.shape == (2, *SIZE, 1) and not told
    np.testing.assert_array_equal(values[0, ..., 0], array.astype(expected))
    assert not values[1].any()


@pytest.mark.parametrize("turn", range(1, 9))
def test_a_turned_photograph_is_as_a_viewer_shows_it(turn):
    """Each of EXIF's eight turns of one photograph, undone, is that photograph."""
    upright = np.arange(48, dtype=np.uint8).reshape(SIZE) * 5
    undone = {1: lambda a: a, 2: np.fliplr, 3: lambda a: np.rot90(a, 2), 4: np.flipud, 5: np.transpose,
              6: lambda a: np.rot90(a, 1), 7: lambda a: np.rot90(a, 2).T, 8: lambda a: np.rot90(a, -1)}  # fmt: skip
    exif = Image.Exif()
    exif[TURN] = turn
    values, _ = read_pictures([("a", encoded(np.ascontiguousarray(undone[turn](upright)), exif=exif))], SIZE)
    np.testing.assert_array_equal(values[0, ..., 0], upright)


def test_what_is_transparent_is_white_and_told():
    clear = np.zeros((*SIZE, 4), np.uint8)
    clear[..., 0] = 200  # a colour that nobody sees
    opaque = clear.copy()
    opaque[..., 3] = 255
    values, told = read_pictures([("a", encoded(clear)), ("b", encoded(opaque))], SIZE)
    assert (values[0] == 255).all() and (values[1] == [200, 0, 0]).all()
    assert told == ["1 of 2 pictures have transparent parts, which are read as white"]


def test_a_palette_is_its_colours():
    colours = np.zeros((*SIZE, 3), np.uint8)
    colours[:3, :, 1] = 99
    file = io.BytesIO()
    Image.fromarray(colours).quantize(2).save(file, "PNG")
    np.testing.assert_array_equal(read_pictures([("a", file.getvalue())], SIZE)[0][0], colours)


def test_only_the_first_frame_is_read_and_told():
    file = io.BytesIO()
    frames = [Image.fromarray(np.full(SIZE, shade, np.uint8)) for shade in (10, 200)]
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
    values, told = read_pictures([("a", file.getvalue())], SIZE)
    assert (values < 100).all() and "several frames" in told[0]


def test_a_smaller_size_that_nobody_asked_for_is_told():
    large = encoded(np.zeros((100, 80), np.uint8))
    assert read_pictures([("a", large)], (0, 0))[0].shape == (1, 64, 64, 1)
    assert "100 x 80" in read_pictures([("a", large)], (0, 0))[1][0] and not read_pictures([("a", large)], SIZE)[1]


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ([colours_of_16_bits()], ("0.png", "16 bits in each of several channels")),
        ([encoded(np.zeros(SIZE, np.uint8)), encoded(np.zeros(SIZE, np.uint16))], ("1.png has 16 bits", "0.png has 8")),
        ([encoded(np.full(SIZE, np.nan, np.float32), "TIFF")], ("0.png", "not finite")),
        ([encoded(np.zeros((60, 80, 3), np.uint8), "JPEG")[:-40]], ("0.png",)),
    ],
)  # fmt: skip
def test_what_cannot_be_read_whole_is_refused_by_name(files, words):
    with pytest.raises(InputError) as error:
        read_pictures([(f"{place}.png", file) for place, file in enumerate(files)], SIZE)
    for word in words:
        assert word in str(error.value)


def test_new_pictures_get_the_size_and_colours_of_training_and_never_another_depth():
    form = RawForm(kind="image", dtype="uint8", shape=(3, 4, 3))
    gray = encoded(np.full(SIZE, 7, np.uint8))
    values, _ = read_pictures([("a", gray)], (0, 0), form)
    assert values.shape == (1, 3, 4, 3) and (values == 7).all()
    with pytest.raises(InputError, match="a has 16 bits a channel, and training has 8 bits"):
        read_pictures([("a", encoded(np.zeros(SIZE, np.uint16)))], (0, 0), form)


def test_pictures_that_memory_would_not_hold_are_refused_before_they_are_made():
    files = [("a.png", encoded(np.zeros((2, 2), np.uint8))), *[("none", None)] * 32]
    with pytest.raises(InputError, match="33 pictures of 8192 x 8192 .* accepted are 8,589,934,592"):
        read_pictures(files, (2**13, 2**13))
