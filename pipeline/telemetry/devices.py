"""What the driver of NVIDIA GPUs says about them: how busy they are, and how much of their memory is in use."""

from __future__ import annotations

import logging
import threading
from typing import Any

from pipeline.telemetry.exposition import Readings

log = logging.getLogger("nightshift")

_WAIT = 2.0  # seconds for another scrape to end its look: a driver may hang


def driver() -> Any:
    """NVIDIA's management library, as a module; nothing is asked of the driver yet."""
    import pynvml

    return pynvml


class Devices:
    """The GPUs of this host; none where there is no driver, which is asked for once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._nvml: Any = None
        self._missing = False

    def read(self) -> Readings:
        """Utilization and memory by device, `gpu:0` the first; empty where the driver does not say."""
        if self._missing or not self._lock.acquire(timeout=_WAIT):
            return {}
        try:
            return self._look()
        except Exception as error:
            if self._nvml is None:
                self._missing = True
                log.debug("no GPU is looked at, as there is no NVML: %s", error)
            return {}
        finally:
            self._lock.release()

    def _look(self) -> Readings:
        if self._nvml is None:
            nvml = driver()
            nvml.nvmlInit()
            self._nvml = nvml
        found: dict[tuple[str, tuple[str, ...]], float] = {}
        for index in range(self._nvml.nvmlDeviceGetCount()):
            handle, device = self._nvml.nvmlDeviceGetHandleByIndex(index), (f"gpu:{index}",)
            memory = self._nvml.nvmlDeviceGetMemoryInfo(handle)
            found["nightshift_device_memory_bytes", device] = float(memory.used)
            try:
                share = self._nvml.nvmlDeviceGetUtilizationRates(handle).gpu / 100
            except self._nvml.NVMLError:  # a part of a GPU (MIG) has none
                continue
            found["nightshift_device_utilization_ratio", device] = share
        return found


def used(device: str) -> float:
    """Bytes of memory in use on `gpu:N`; 0 where no driver says."""
    return _devices.read().get(("nightshift_device_memory_bytes", (device,)), 0.0)


_devices = Devices()
