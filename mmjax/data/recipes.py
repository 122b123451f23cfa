"""Data sets that are described by a recipe, by name."""

from mmjax.data.scene15.task import RECIPE as SCENE15

RECIPES = {
    "scene15": SCENE15,
}
