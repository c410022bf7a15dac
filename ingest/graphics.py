"""Where torch computes: on a graphics processor where one works. Asks torch only where there might be one."""

import logging
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Generic, TypeVar

logger = logging.getLogger(__name__)

CPU, CUDA, MPS = "cpu", "cuda", "mps"
# What the drivers of NVIDIA, of AMD and of Windows' subsystem for Linux put into place.
DRIVERS = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")

Model = TypeVar("Model")
Result = TypeVar("Result")


@cache
def device() -> str:
    """The device for models: cuda, mps or cpu. Importing torch to learn that there is none would cost seconds.

    One that torch names and cannot compute on, such as one too old for its kernels, is told of in the log and left.
    """
    if sys.platform == "linux" and not any(Path(driver).exists() for driver in DRIVERS):
        return CPU
    import torch

    found = CUDA if torch.cuda.is_available() else MPS if torch.backends.mps.is_available() else CPU
    return found if found == CPU or _computes(found) else CPU


def _computes(name: str) -> bool:
    import torch

    try:
        ones = torch.ones(8, 8, device=name)
        return float((ones @ ones).sum()) == 8**3  # to read it is to wait for it: errors come only then
    except (RuntimeError, AssertionError) as error:  # the second: torch was built without what the device needs
        logger.warning("torch cannot compute on %s, so the processor does the work: %s", name, _first_line(error))
        return False


class Placed(Generic[Model]):
    """A model on the machine's device; on the processor from the first failure there on, which the log tells.

    load: loads the model onto a device. For one thread at a time.
    """

    def __init__(self, load: Callable[[str], Model]) -> None:
        self._load, self.device = load, device()
        try:
            self.model = load(self.device)
        except RuntimeError as error:
            self._leave(error)

    def run(self, work: Callable[[Model], Result]) -> Result:
        """What `work` makes with the model. Raises what it raises on the processor."""
        try:
            return work(self.model)
        except RuntimeError as error:  # out of memory, a driver that stopped, an operation the device lacks
            self._leave(error)
        return work(self.model)

    def _leave(self, error: RuntimeError) -> None:
        """Load the model anew: a device that failed may not give back what it holds. Raises what the CPU raised."""
        if self.device == CPU:
            raise error
        logger.warning("A model failed on %s and is run by the processor: %s", self.device, _first_line(error))
        self.device, self.model = CPU, self._load(CPU)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
