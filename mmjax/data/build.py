"""A data set prepared by its TFDS builder, from files or downloads."""

import contextlib
import sys
from collections.abc import Callable
from pathlib import Path

from mmjax.data.cache import alone
from mmjax.disk import writing


def built(make_builder: Callable[[str], object], key: str, data_dir: str | None, cache: Path):
    """A TFDS builder whose data are prepared.

    Args:
      make_builder: TFDS data_dir -> builder.
      key: of the raw files' contents; other contents are prepared elsewhere.
      data_dir: folder of the raw files; None downloads them.
      cache: folder of downloads and prepared data.
    """
    import tensorflow_datasets as tfds

    tfds.disable_progress_bar()  # bars of its own would write over the launcher's
    builder = make_builder(str(cache / "tfds" / key))
    config = tfds.download.DownloadConfig(manual_dir=data_dir)
    # A command's own output is its result alone.
    with alone(cache / "tfds" / f"{key}.{builder.name}"), contextlib.redirect_stdout(sys.stderr):
        with writing(cache / "tfds"):
            builder.download_and_prepare(download_dir=str(cache / "downloads"), download_config=config)
    return builder
