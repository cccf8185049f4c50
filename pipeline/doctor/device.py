"""The GPU, where the settings name one: whether the driver sees it, how much memory is free, and who holds it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipeline import scratch
from pipeline.device.claim import holder_of
from pipeline.doctor.finding import Finding, fault, ok, warning
from pipeline.settings import Settings
from pipeline.telemetry.devices import driver

_LEAST = 2 << 30  # bytes that models need


def check(settings: Settings) -> Iterator[Finding]:
    """All GPUs that the driver has; none are needed where the models are on the CPU."""
    of_ocr = set(settings.device_names) or {settings.ocr_device}
    wanted = (of_ocr | {settings.ner_device}) - {"cpu"}
    if settings.devices:
        yield from _holders(settings)
    if not wanted:
        yield ok(
            "device", "The models run on the CPU (NIGHTSHIFT_DEVICES or _OCR_DEVICE, NIGHTSHIFT_NER_DEVICE)."
        )
        return
    nvml = driver()
    try:
        nvml.nvmlInit()
    except nvml.NVMLError as error:
        yield fault(
            "device",
            f"The NVIDIA driver does not answer ({error}), but the settings name {', '.join(sorted(wanted))}.",
            "install the driver, give the container the GPU, or set the device to cpu",
        )
        return
    try:
        yield from _devices(nvml, wanted)
    finally:
        nvml.nvmlShutdown()


def _holders(settings: Settings) -> Iterator[Finding]:
    """Which processes hold the devices now: a worker does inside the window."""
    folder = scratch.root(settings.temp_dir)
    for name in sorted({*settings.device_names} - {"cpu"}):  # which all processes share
        holder = holder_of(folder, name)
        said = f"{name} is held by {holder}." if holder else f"{name} is free for a worker or nightshift run."
        yield ok(f"device {name}", f"{said} Locks and sockets are in {folder}.")


def _devices(nvml: Any, wanted: set[str]) -> Iterator[Finding]:
    count = nvml.nvmlDeviceGetCount()
    numbers = {int(name.partition(":")[2] or 0) for name in wanted}
    for number in sorted(numbers):
        name = f"device {number}"
        if number >= count:
            yield fault(
                name,
                f"There is no GPU {number}: the driver has {count}.",
                "correct the setting, such as gpu:0",
            )
            continue
        handle = nvml.nvmlDeviceGetHandleByIndex(number)
        memory = nvml.nvmlDeviceGetMemoryInfo(handle)
        model = nvml.nvmlDeviceGetName(handle)
        said = f"{model}: {memory.free / (1 << 30):.1f} of {memory.total / (1 << 30):.1f} GiB free."
        if memory.free < _LEAST:
            yield warning(name, said, "another process holds it: nvidia-smi shows which")
        else:
            yield ok(name, said)
