"""Include it in a worker (`-I tests.support.stuck`), and SIGUSR2 makes its main thread hang for ten minutes."""

import signal
import time
from types import FrameType


def _hang(_: int, __: FrameType | None) -> None:
    time.sleep(600)


signal.signal(signal.SIGUSR2, _hang)
