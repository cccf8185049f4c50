"""Ctrl-C once and twice, with real signals in a real process."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

PROGRAM = """
import signal, sys, time
from pipeline.cli.stopping import stoppable
{before}
with stoppable():
    try:
        print("working", flush=True)
        time.sleep({work})
    except KeyboardInterrupt:
        print("finishing", flush=True)
        time.sleep(60)
print("ended")
"""


NOT_IGNORED = "signal.signal(signal.SIGINT, signal.default_int_handler)"  # as in a background job


@contextmanager
def started(before: str = NOT_IGNORED, work: float = 60) -> "Iterator[subprocess.Popen[str]]":
    program = PROGRAM.format(before=before, work=work)
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "working\n"
        yield process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_lets_finish_and_the_second_ends_at_once(number: signal.Signals) -> None:
    with started() as process:
        process.send_signal(number)
        assert process.stdout
        assert process.stdout.readline() == "finishing\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130
        assert process.stdout.read() == ""


def test_an_ignored_signal_stays_ignored() -> None:
    with started("signal.signal(signal.SIGINT, signal.SIG_IGN)", work=1) as process:
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=10)[0] == "ended\n"
        assert process.returncode == 0
