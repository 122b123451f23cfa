"""What is known of a task before it is loaded."""

import dataclasses
from collections.abc import Callable

from mmjax.types import Task


@dataclasses.dataclass(frozen=True)
class TaskEntry:
    """A task's line in the registry.

    Attributes:
      summary: one line.
      load: (data_dir or None, cache_dir) -> Task; where there are protocols, with a third, `protocol`.
      kinds: modality -> its kind.
      target: one of TARGET_KINDS.
      tags: domains and lists the task belongs to.
      configs: names of its variants; `name/config` is registered too.
      protocols: names of other ways to split it; `name/protocol` and `name/protocol.number` load it so.
      needs_files: whether it is read from files that are downloaded or lie in data_dir.
      contaminated: as a Task has it.
    """

    summary: str
    load: Callable[..., Task]
    kinds: dict[str, str]
    target: str
    tags: tuple[str, ...]
    configs: tuple[str, ...] = ()
    protocols: tuple[str, ...] = ()
    needs_files: bool = False
    contaminated: str = ""
