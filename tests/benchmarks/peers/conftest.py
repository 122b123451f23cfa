"""One thread for PyTorch: on a shared machine its threads wait for each other far longer than these tests work."""

import importlib.util

if importlib.util.find_spec("torch"):
    import torch

    torch.set_num_threads(1)
