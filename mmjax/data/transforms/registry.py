"""Transforms by name, as saved preprocessing and task.yaml name them."""

from mmjax.data.transforms.tabular import Impute, OneHot, Scale, Table

TRANSFORMS = {
    "Impute": Impute,
    "OneHot": OneHot,
    "Scale": Scale,
    "Table": Table,
}
