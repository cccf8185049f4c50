"""Documents are parsed by confined processes: what those have, and what becomes of the night when they die."""

import os
import signal
from contextlib import suppress
from pathlib import Path

from pipeline.sandbox import landlock
from tests.support.night import night
from tests.support.servers import wait_for
from tests.support.servers.rabbit import Rabbit


def test_documents_are_parsed_by_processes_without_secrets(rabbit: Rabbit, tmp_path: Path) -> None:
    room = tmp_path / "temporary"
    room.mkdir()
    env = {"NIGHTSHIFT_CALLBACK_SECRET": "hush", "NIGHTSHIFT_TEMP_DIR": str(room)}
    with night(rabbit, tmp_path, **env) as it:
        worker = it.ready(it.worker("w1", NIGHTSHIFT_SANDBOX="require" if landlock.version() else "auto"))
        it.publish(it.documents(4, "first"))
        it.settle(4)
        readers, pool = worker.readers(), worker.children()
        assert readers
        for pid in readers:
            status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
            assert (status["NoNewPrivs"].strip(), status["Seccomp"].strip()) == ("1", "2")
            assert int(status["CapEff"], 16) == 0
            assert b"amqp" not in Path(f"/proc/{pid}/cmdline").read_bytes()
            with suppress(PermissionError):  # only root may look
                assert b"NIGHTSHIFT" not in Path(f"/proc/{pid}/environ").read_bytes()

        for pid in readers:
            os.kill(pid, signal.SIGKILL)
        it.publish(it.documents(4, "second"))
        records = it.settle(8)
        assert {record.status for record in records.values()} == {"done"}
        assert set(worker.children()) == set(pool), "the workers themselves go on"

        readers, (folder,) = worker.readers(), room.iterdir()
        left = set(folder.iterdir())
        worker.kill()
        wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in readers), "the readers to end", 30)
        assert left
        assert set(folder.iterdir()) == left
        it.ready(it.worker("w2"))
        assert not left & set(folder.iterdir())
