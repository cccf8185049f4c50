"""A Prometheus of one's own: private port, private data; and promtool, which checks what is meant for it."""

import json
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.servers import free_port, start, unavailable, wait_for


def promtool(*arguments: object) -> str:
    """What promtool says to these arguments; fails the test if it is not content."""
    program = shutil.which("promtool")
    if program is None:
        unavailable("promtool (Debian's package prometheus)")
    done = subprocess.run(
        [program, *map(str, arguments)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


class Refused(Exception):
    """Prometheus' own sentence about what is wrong with a query."""


@dataclass
class Prometheus:
    """One server under `folder`, with the file prometheus.yml that is there."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def run(self) -> None:
        """Start, and wait until it answers."""
        program = shutil.which("prometheus")
        if program is None:
            unavailable("prometheus")
        command = [
            program,
            f"--config.file={self.folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={self.folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{self.port}",
        ]
        self.process = start(command, self.folder / "prometheus.log")
        wait_for(self._ready, f"Prometheus, see {self.folder / 'prometheus.log'}")

    def stop(self) -> None:
        """End it; its data stay where they are."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(60)

    def _ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.folder / "prometheus.log").read_text()
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/-/ready", timeout=10) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def ask(self, path: str, **parameters: str) -> Any:
        """`data` of an answer of its API; raises `Refused`."""
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=30) as answer:
                return json.loads(answer.read())["data"]
        except urllib.error.HTTPError as error:
            with error:
                raise Refused(json.loads(error.read())["error"]) from None

    def query(self, expression: str) -> list[Any]:
        """The result of an instant query: the series, or the one value of a scalar."""
        found: list[Any] = self.ask("query", query=expression)["result"]
        return found

    def up(self) -> set[str]:
        """The jobs all of whose targets have been scraped."""
        targets = self.ask("targets", state="active")["activeTargets"]
        jobs = {target["labels"]["job"] for target in targets}
        return jobs - {target["labels"]["job"] for target in targets if target["health"] != "up"}
