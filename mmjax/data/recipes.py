"""Data sets that are described by a recipe, by name."""

from mmjax.data.leaves100.task import RECIPE as LEAVES100
from mmjax.data.msrcv1.task import RECIPE as MSRCV1
from mmjax.data.pie.task import RECIPE as PIE
from mmjax.data.rosmap.task import RECIPE as ROSMAP
from mmjax.data.scene15.task import RECIPE as SCENE15
from mmjax.data.student.task import RECIPE as STUDENT
from mmjax.data.xapi.task import RECIPE as XAPI

RECIPES = {
    "scene15": SCENE15,
    "pie": PIE,
    "leaves100": LEAVES100,
    "msrcv1": MSRCV1,
    "rosmap": ROSMAP,
    "student": STUDENT,
    "xapi": XAPI,
}
