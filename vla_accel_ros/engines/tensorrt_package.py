# Copyright 2026 The vla_accel_ros developers
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.

"""TensorRT's Python package, whichever is installed, and what it says when something fails.

TensorRT for servers, Jetsons and all other cards is the module `tensorrt`. TensorRT for RTX cards
has the same functions in a module of another name, and builds without a GPU what runs on every
card that it knows.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import torch

from vla_accel_ros.engines.interface import EngineError
from vla_accel_ros.engines.tensorrt_modules import MODULES, installed

_DRIVER = Path('/sys/module/nvidia/version')


class Package:
    """One of the packages.

    Args:
        module: The imported module.

    Attributes:
        trt: The module.
        rtx: Whether it is TensorRT for RTX.
    """

    def __init__(self, module: Any) -> None:
        self.trt = module
        self.rtx = module.__name__ != 'tensorrt'
        self.complaints: list[str] = []
        self.logger = _logger(module, self.complaints)

    @property
    def title(self) -> str:
        """Its name and version."""
        return f'TensorRT{"-RTX" if self.rtx else ""} {self.trt.__version__}'

    @contextmanager
    def told(self) -> Iterator[None]:
        """Turn what fails inside into an `EngineError` with what TensorRT says of it.

        Where torch has no memory left, its own error goes on.
        """
        self.complaints.clear()
        try:
            yield
        except (EngineError, torch.OutOfMemoryError):
            raise
        except (RuntimeError, TypeError, ValueError) as error:
            raise EngineError(f'{self.title}: {self.reason(str(error))}') from error

    def reason(self, otherwise: str = 'it gives no reason') -> str:
        """Give the first of its complaints since `told` began, in one line."""
        return ' '.join((self.complaints or [otherwise])[0].split())


def _logger(trt: Any, complaints: list[str]) -> Any:
    class Log(trt.ILogger):  # type: ignore[misc]
        """Keeps errors, and nothing else."""

        def __init__(self) -> None:
            trt.ILogger.__init__(self)

        def log(self, severity: Any, message: str) -> None:
            if severity in (trt.ILogger.INTERNAL_ERROR, trt.ILogger.ERROR):
                complaints.append(message)

    return Log()


def find() -> Package:
    """Import the package that is installed.

    Raises:
        EngineError: When none is, or none can be imported; the text says why.
    """
    names, failed = installed(), []
    for name in names:
        try:
            module = import_module(name)
            # A package without its library imports, and has nothing in it.
            _ = module.Builder, module.OnnxParser, module.Runtime
            return Package(module)
        except (ImportError, OSError, AttributeError, RuntimeError) as error:
            failed.append(f'{name} cannot be imported: {" ".join(str(error).split())}')
    raise EngineError('; '.join(failed) or f'none of {", ".join(MODULES)} is installed')


@dataclass(frozen=True)
class Card:
    """A GPU.

    Attributes:
        name: As the driver calls it.
        capability: Its compute capability, as 9.0.
        driver: Version of the driver.
    """

    name: str
    capability: str
    driver: str

    @classmethod
    def of(cls, device: torch.device) -> Card:
        """Describe the GPU that is a device of torch.

        Raises:
            EngineError: When the device is none, or is not there.
        """
        if device.type != 'cuda':
            raise EngineError(f'TensorRT runs on an NVIDIA GPU only, the model is on {device}')
        if not torch.cuda.is_available():
            built = '' if torch.version.cuda else ', and torch was built without CUDA'
            raise EngineError(f'TensorRT runs on an NVIDIA GPU only, there is none here{built}')
        try:
            driver = _DRIVER.read_text(encoding='ascii').strip()
        except OSError:
            library: Any = torch._C
            driver = str(library._cuda_getDriverVersion())
        major, minor = torch.cuda.get_device_capability(device)
        return cls(torch.cuda.get_device_name(device), f'{major}.{minor}', driver)
