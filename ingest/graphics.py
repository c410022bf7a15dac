"""Where torch computes: on a graphics processor where there is one. Asks torch only where there might be."""

import sys
from functools import cache
from pathlib import Path

# What the drivers of NVIDIA, of AMD and of Windows' subsystem for Linux put into place.
DRIVERS = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")


@cache
def device() -> str:
    """The device for models: cuda, mps or cpu. Importing torch to learn that there is none would cost seconds."""
    if sys.platform == "linux" and not any(Path(driver).exists() for driver in DRIVERS):
        return "cpu"
    import torch

    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"
