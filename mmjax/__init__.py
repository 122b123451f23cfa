"""mmjax: which way of fusing modalities wins, by how much, and at what speed."""

__version__ = "0.1.0"
