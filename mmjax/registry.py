"""Building a registered module from a name and a Config."""

import dataclasses

from mmjax.config import Config
from mmjax.errors import lookup


def build(registry: dict, kind: str, name: str, config: Config, **fields):
    """The module `registry[name]`, its fields taken from the config's of the same name.

    A module that wants a hyper-parameter declares a field with the name it has in Config;
    `fields` are those that do not come from a config (a modality's spec, an axis name), and
    are passed on only to modules that declare them.

    Raises:
      InputError: for a name that is not registered.
    """
    module = lookup(registry, kind, name)
    declared = {f.name for f in dataclasses.fields(module)}
    values = {**config.to_dict(), **fields}
    return module(**{field: value for field, value in values.items() if field in declared})
