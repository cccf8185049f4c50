"""Who may use a device: one process of a host at a time."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.device.claim import Claim, holder_of


def test_one_process_has_a_device_and_the_other_learns_which(tmp_path: Path) -> None:
    mine, theirs = Claim(tmp_path, "gpu:0"), Claim(tmp_path, "gpu:0")
    assert mine.take() == ""
    assert mine.take() == "", "it has it already"
    assert theirs.take() == holder_of(tmp_path, "gpu:0") == f"process {os.getpid()}"
    assert Claim(tmp_path, "gpu:1").take() == "", "another device"
    mine.drop()
    assert theirs.take() == ""


def test_a_cpu_is_shared(tmp_path: Path) -> None:
    assert [Claim(tmp_path, "cpu").take() for _ in range(2)] == ["", ""]
    assert list(tmp_path.iterdir()) == []


def test_a_gpu_is_the_same_whatever_a_process_calls_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert Claim(tmp_path, "gpu:1").take() == ""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,1")
    assert Claim(tmp_path, "gpu:0").take() == ""
    assert holder_of(tmp_path, "gpu:1")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-8932f937,0")
    assert [Claim(tmp_path, name).take() for name in ("gpu:0", "gpu:1")] == ["", ""]


def test_a_fork_has_no_part_in_a_claim(tmp_path: Path) -> None:
    mine, (here, there) = Claim(tmp_path, "gpu:0"), socket.socketpair()
    mine.take()
    child = os.fork()
    if not child:  # a process of the pool, which outlives the claim
        here.close()
        there.send(b"x")
        there.recv(1)
        os._exit(0)
    there.close()
    here.recv(1)
    mine.drop()
    found = holder_of(tmp_path, "gpu:0")
    here.close()
    os.waitpid(child, 0)
    assert found == ""


def test_the_claim_of_a_process_ends_with_it(tmp_path: Path) -> None:
    program = "import sys; from pathlib import Path; from pipeline.device.claim import Claim\n"
    program += "print(repr(Claim(Path(sys.argv[1]), 'gpu:0').take()), flush=True); input()"
    child = subprocess.Popen(
        [sys.executable, "-c", program, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout
    assert child.stdout.readline() == "''\n"
    assert holder_of(tmp_path, "gpu:0") == f"process {child.pid}"
    child.kill()
    child.communicate()
    assert holder_of(tmp_path, "gpu:0") == ""
