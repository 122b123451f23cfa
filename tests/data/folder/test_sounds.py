"""Sounds: one rate, one channel, all of them or said to be cut; what lacks its end is refused."""

import io
import struct

import numpy as np
import pytest
import soundfile

from mmjax.data.folder.sounds import oddities, read_sounds
from mmjax.errors import InputError

WAVE = np.sin(np.arange(4000) / 9)


def encoded(wave=WAVE, rate=8000, **settings):
    file = io.BytesIO()
    soundfile.write(file, wave, rate, **({"format": "WAV"} | settings))
    return file.getvalue()


# Steps of 1/128 in 8 bits, of 2^-15 in 16; Vorbis is lossy.
@pytest.mark.parametrize(
    ("settings", "tolerance"),
    [({"subtype": "PCM_U8"}, 2**-7), ({"subtype": "PCM_16"}, 2**-15), ({"subtype": "PCM_24"}, 2**-15),
     ({"subtype": "FLOAT"}, 1e-6), ({"format": "FLAC"}, 2**-15), ({"format": "OGG"}, 0.2)],
)  # fmt: skip
def test_every_depth_is_in_full_scale(settings, tolerance):
    values, lengths, rate, told = read_sounds([("a", encoded(**settings))], 0, 10)
    assert rate == 8000 and lengths == [4000] and not told
    np.testing.assert_allclose(values[0], WAVE, atol=tolerance)


def test_channels_become_their_mean_and_rates_one():
    two = np.stack([WAVE, np.zeros(4000)], axis=1)
    slow = encoded(WAVE[::2], 4000, subtype="FLOAT")
    values, lengths, rate, _ = read_sounds([("a", encoded(two, subtype="FLOAT")), ("b", slow), ("c", None)], 8000, 0)
    assert rate == 8000 and lengths.tolist() == [4000, 4000, 1] and not values[2].any()
    np.testing.assert_allclose(values[0], WAVE / 2, atol=1e-6)
    np.testing.assert_allclose(values[1, 100:-100], WAVE[100:-100], atol=0.02)  # the filter rings at the ends


def test_a_cut_is_told_with_how_many_and_how_much():
    values, lengths, _, told = read_sounds([("a", encoded()), ("b", encoded(WAVE[:500]))], 0, 0.25)
    assert values.shape == (2, 2000) and lengths.tolist() == [2000, 500]
    assert told == [
        "1 of 2 sounds are longer than 0.25 s, the longest has 0.5 s, and are cut; "
        "`seconds` says how many are read, 0 all"
    ]


def more_chunks(sound):
    """A note before the samples, of an odd size, which is padded."""
    return sound[:12] + b"note" + struct.pack("<I", 3) + b"abc\0" + sound[12:]


@pytest.mark.parametrize(
    "broken",
    [encoded()[:3000], more_chunks(encoded())[:3000], encoded()[:-1], encoded(format="FLAC")[:-9],
     encoded(np.tile(WAVE, 20), format="OGG")[:9000]],
)  # fmt: skip
def test_a_sound_that_lacks_its_end_is_refused_by_name(broken):
    with pytest.raises(InputError, match="ward/3.snd"):
        read_sounds([("ward/3.snd", broken)], 0, 10)


def test_a_heading_that_was_written_to_a_pipe_knows_no_length():
    sound = encoded(subtype="PCM_16")
    place = sound.index(b"data") + 4
    piped = sound[:4] + b"\xff\xff\xff\xff" + sound[8:place] + b"\xff\xff\xff\xff" + sound[place + 4 :]
    assert read_sounds([("a", piped)], 0, 10)[1] == [4000]
    assert read_sounds([("a", more_chunks(sound))], 0, 10)[1] == [4000]


def test_channels_in_opposite_phase_are_told():
    for subtype in ("FLOAT", "PCM_16"):
        two = encoded(np.stack([WAVE / 2, -WAVE / 2], axis=1), subtype=subtype)
        assert (
            "1 of 2 sounds have channels in opposite phase" in read_sounds([("a", two), ("b", encoded())], 0, 0)[3][0]
        )
    silence = encoded(np.zeros((4000, 2)))
    assert not read_sounds([("a", silence)], 0, 0)[3]


def test_sounds_of_a_sample_or_two_and_of_silence_are_told():
    there = np.array([True, True, False])
    assert not oddities(np.tile(WAVE, (3, 1)), there, None)
    assert "have 2 samples or fewer" in oddities(np.tile(WAVE, (3, 1)), there, np.array([2, 2, 4000]))[0]
    assert "silent or constant" in oddities(np.ones((3, 99)), there, None)[0]
