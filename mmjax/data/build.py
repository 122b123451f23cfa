"""A data set prepared by its TFDS builder, from files or downloads."""

import contextlib
import sys
from collections.abc import Callable
from pathlib import Path

from mmjax.data.cache import made
from mmjax.disk import writing


def built(make_builder: Callable[[str], object], key: str, data_dir: str | None, cache: Path):
    """A TFDS builder whose data are prepared, and as they were written.

    Args:
      make_builder: TFDS data_dir -> builder.
      key: of the data set, the raw files' contents and the code: the folder in which it alone is prepared.
      data_dir: folder of the raw files; None downloads them.
      cache: folder of downloads and prepared data.
    """
    import tensorflow_datasets as tfds

    tfds.disable_progress_bar()  # bars of its own would write over the launcher's

    def prepare(folder: Path):
        config = tfds.download.DownloadConfig(manual_dir=data_dir)
        with contextlib.redirect_stdout(sys.stderr):  # a command's own output is its result alone
            builder = make_builder(str(folder))
            with writing(cache / "tfds"):
                builder.download_and_prepare(download_dir=str(cache / "downloads"), download_config=config)

    return make_builder(str(made(cache / "tfds" / key, prepare)))
