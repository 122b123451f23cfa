"""Data sets that are described by a recipe, by name."""

from mmjax.data.covid_cxr.task import RECIPE as COVID_CXR
from mmjax.data.handwritten.task import RECIPE as HANDWRITTEN
from mmjax.data.jaad_crossing.task import RECIPE as JAAD_CROSSING
from mmjax.data.leaves100.task import RECIPE as LEAVES100
from mmjax.data.maec.task import RECIPE as MAEC
from mmjax.data.mosi.task import RECIPE as MOSI
from mmjax.data.msrcv1.task import RECIPE as MSRCV1
from mmjax.data.mustard_text.task import RECIPE as MUSTARD_TEXT
from mmjax.data.mvsa_single.task import RECIPE as MVSA_SINGLE
from mmjax.data.pie.task import RECIPE as PIE
from mmjax.data.rosmap.task import RECIPE as ROSMAP
from mmjax.data.scene15.task import RECIPE as SCENE15
from mmjax.data.stocknet.task import RECIPE as STOCKNET
from mmjax.data.student.task import RECIPE as STUDENT
from mmjax.data.utd_mhad.task import RECIPE as UTD_MHAD
from mmjax.data.xapi.task import RECIPE as XAPI

RECIPES = {
    "handwritten": HANDWRITTEN,
    "scene15": SCENE15,
    "pie": PIE,
    "leaves100": LEAVES100,
    "msrcv1": MSRCV1,
    "rosmap": ROSMAP,
    "covid_cxr": COVID_CXR,
    "stocknet": STOCKNET,
    "maec": MAEC,
    "student": STUDENT,
    "xapi": XAPI,
    "utd_mhad": UTD_MHAD,
    "jaad_crossing": JAAD_CROSSING,
    "mosi": MOSI,
    "mustard_text": MUSTARD_TEXT,
    "mvsa_single": MVSA_SINGLE,
}
