"""Transforms by name, as saved preprocessing and task.yaml name them."""

from mmjax.data.transforms.tabular import Scale

TRANSFORMS = {
    "Scale": Scale,
}
