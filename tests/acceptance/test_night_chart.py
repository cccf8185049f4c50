"""What the Helm chart starts, started here: its command lines and settings, against a real RabbitMQ."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.support.cluster.chart import Manifest, of_kind, render
from tests.support.cluster.keda import Keda, Unknown
from tests.support.command import NIGHTSHIFT
from tests.support.night import CELERY, night
from tests.support.scraped import get, parse
from tests.support.servers import free_port, listens, start, wait_for
from tests.support.servers.rabbit import Rabbit

PROGRAMS = {"celery": str(CELERY), "nightshift": NIGHTSHIFT}


@pytest.mark.long
def test_the_processes_of_the_chart_and_what_keda_reads(rabbit: Rabbit, tmp_path: Path) -> None:
    with night(rabbit, tmp_path, NIGHTSHIFT_TEMP_DIR=str(tmp_path), NIGHTSHIFT_WINDOW="never") as it:
        it.window("open")  # for a day
        manifests = render({"settings": {"NIGHTSHIFT_STORE_URL": it.env["NIGHTSHIFT_STORE_URL"]}})
        pods = of_kind(manifests, "Deployment")
        (settings,) = of_kind(manifests, "ConfigMap").values()
        ports = {"worker-cpu": free_port(), "exporter": free_port(), "beat": 0}

        def begin(name: str) -> Any:
            (inside,) = pods[f"nightshift-{name}"]["spec"]["template"]["spec"]["containers"]
            program, *words = [_local(word, ports[name]) for word in inside["args"]]
            own = {one["name"]: _local(one["value"], ports[name]) for one in inside.get("env", [])}
            env = {**settings["data"], **it.env, **own}
            command = ["env", f"--chdir={ROOT}", PROGRAMS[program], *words]
            return start(command, tmp_path / f"{name}.log", {**os.environ, **env})

        running = [begin(name) for name in ports]
        try:
            probe = _probe(pods["nightshift-worker-cpu"])
            wait_for(
                lambda: listens(ports["worker-cpu"]) and listens(ports["exporter"]), "both to listen", 180
            )
            wait_for(lambda: get(ports["worker-cpu"], probe)[0] == 200, "a worker that lives", 180)
            wait_for(lambda: get(ports["worker-cpu"], "/healthz")[0] == 200, "a worker that is ready", 180)
            it.publish(it.documents(3))
            wait_for(lambda: it.depth("ocr") == 3, "documents to wait for a GPU worker", 180)

            (scaled,) = of_kind(manifests, "ScaledObject").values()
            urls = {one["metadata"].get("url", "") for one in scaled["spec"]["triggers"]} - {""}
            (host,) = {url.split("/")[2] for url in urls}

            found: dict[str, float] = {}

            def three_seen() -> bool:
                found.clear()
                status, text = get(ports["exporter"], host=host)
                with suppress(Unknown):  # not all is counted yet
                    found.update(Keda(scaled, lambda: parse(text), lambda: 0).values())
                return status == 200 and found.get("ocr") == 3

            wait_for(three_seen, "the three to be seen", 180)
            assert 23 * 3600 < found.pop("closes") < 24 * 3600
            assert found == {"window": 1, "urgent": 0, "ocr": 3, "ner": 0, "filler": 0, "pods": 0}
        finally:
            for process in running:
                process.terminate()
            for process in running:
                process.wait(60)


def _probe(pod: Manifest) -> str:
    (inside,) = pod["spec"]["template"]["spec"]["containers"]
    return str(inside["livenessProbe"]["httpGet"]["path"])


def _local(text: str, port: int) -> str:
    """An address of a pod as one of this machine."""
    return f"127.0.0.1:{port}" if text.startswith("0.0.0.0:") else text
