"""A process that makes inputs and tries them, one line of JSON for each on its standard output.

It lives until its time is over, or until an input kills it: a crash of native code, too many seconds of CPU, or too
much memory. The input in progress is in the file `current` then.
"""

from __future__ import annotations

import base64
import faulthandler
import json
import logging
import random
import re
import resource
import signal
import sys
import time
import traceback
from collections import deque
from pathlib import Path

from pipeline import guard
from tests.fuzz.checks import Violation
from tests.fuzz.mutation import Mutator
from tests.fuzz.target import Limits, Target, load

_ROOT = str(Path(__file__).resolve().parents[2])
_DETAIL = re.compile(r"['\"].*|\d+", re.DOTALL)
_POOL = 400
_reserve = [bytes(32 << 20)]
"""Given back when memory runs out, so that there is room to report that."""


def limited(limits: Limits) -> None:
    """Guard this process as workers are; what the guard does not stop dies of a signal, with a traceback."""
    faulthandler.enable()
    faulthandler.register(signal.SIGPROF, chain=True)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    guard.start(limits.memory)
    logging.disable(logging.CRITICAL)


def attempt(target: Target, data: bytes, limits: Limits) -> tuple[str, str, str]:
    """Try one input: how it ended, what is wrong with that (empty if nothing is), and where or which rule."""
    signal.setitimer(signal.ITIMER_PROF, 2 * limits.cpu)
    try:
        with guard.page(limits.cpu, limits.wall, lambda _: None):
            ended, wrong, place = target.check(data), "", ""
    except Violation as error:
        ended, wrong, place = "violation", str(error), _DETAIL.sub("", str(error))[:60].strip()
    except MemoryError as error:
        _reserve.clear()
        ended, wrong, place = "memory", "MemoryError", _place(error)
    except Exception as error:
        ended, wrong, place = type(error).__name__, f"{type(error).__name__}: {error}", _place(error)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return ended, wrong, place


def _resident() -> int:
    """MiB of memory in use."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() >> 20


def _place(error: BaseException) -> str:
    """Where an exception came from: the last line of the product's own, else of all."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if "/pipeline/" in f.filename or "/tasks/" in f.filename] or frames
    last = ours[-1]
    return f"{last.filename.removeprefix(_ROOT + '/')}:{last.lineno}"


def explore(target: Target, seed: str, seconds: float, current: Path, limits: Limits) -> None:
    """Make inputs until the time is over: from the seeds, and from inputs that ended in a way not seen before."""
    rng = random.Random(seed)
    seeds = target.seeds()
    pool: deque[bytes] = deque(maxlen=_POOL)
    seen: set[str] = set()
    until = time.monotonic() + seconds
    waiting = list(seeds)
    while time.monotonic() < until:
        if waiting:
            data = waiting.pop()
        else:
            base = rng.choice(pool) if pool and rng.random() < 0.4 else rng.choice(seeds)
            data = target.change(Mutator(rng, target.tokens, [*seeds, *pool]), base)
        if len(data) > 1 << 21:
            continue
        current.write_bytes(data)
        ended = _try(target, data, limits)
        if ended not in seen or rng.random() < 0.002:
            seen.add(ended)
            pool.append(data)
        if ended == "memory" or _resident() > limits.memory // 2:
            return  # what was taken is not given back: the next input would be blamed for it


def replay(target: Target, paths: list[Path], current: Path, limits: Limits) -> None:
    """Try kept inputs once."""
    for path in paths:
        data = path.read_bytes()
        current.write_bytes(data)
        _try(target, data, limits)


def _try(target: Target, data: bytes, limits: Limits) -> str:
    """Try one input and report it; returns how it ended."""
    began = time.process_time()
    ended, wrong, place = attempt(target, data, limits)
    line = {"ended": ended, "seconds": round(time.process_time() - began, 3)}
    if wrong:
        line |= {"wrong": wrong[:2000], "place": place, "data": base64.b64encode(data).decode()}
    print(json.dumps(line), flush=True)
    return ended


def main() -> None:
    """`python -m tests.fuzz.child TARGET CURRENT SECONDS SEED [FILE ...]`; with files, only these are tried."""
    name, current, seconds, seed, *files = sys.argv[1:]
    limits = Limits()
    target = load(name)
    limited(limits)
    if files:
        replay(target, [Path(file) for file in files], Path(current), limits)
    else:
        explore(target, seed, float(seconds), Path(current), limits)


if __name__ == "__main__":
    main()
