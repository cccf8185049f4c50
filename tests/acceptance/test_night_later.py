"""A worker meets what a later version wrote: it hands it back, once a minute, and works on."""

import json
import uuid
from pathlib import Path
from typing import Any

import pika

from pipeline.messages import VERSION
from pipeline.models import SCHEMA_VERSION
from pipeline.storage import keys
from tasks.incoming import HANDED_BACK, MOST
from tests.support.command import nightshift
from tests.support.night import Night, night
from tests.support.servers import wait_for
from tests.support.servers.rabbit import Rabbit

BODY = b'[["t"], {"into": "en"}, {}]'


def send(nights: Night, queue: str, **headers: Any) -> None:
    """A message of a step that this version does not have, in a form that it does not know."""
    known = {"task": "nightshift.translate", "id": str(uuid.uuid4()), "schema": VERSION + 1}
    properties = pika.BasicProperties(
        content_type="application/json", delivery_mode=2, headers=known | headers
    )
    with nights.channel() as channel:
        channel.basic_publish("", queue, BODY, properties, mandatory=True)


def test_messages_and_markers_of_a_later_version_wait(rabbit: Rabbit, tmp_path: Path) -> None:
    with night(rabbit, tmp_path) as nights:
        nights.window("closed")
        worker = nights.ready(nights.worker("w1", "-c", "1", NIGHTSHIFT_RECENT_MB="0"))
        nights.publish(nights.documents(2))
        wait_for(lambda: nights.depth("ocr") == 2, "both to be ingested")
        key = keys.pending("ocr_00000", 0)
        marker = json.loads(nights.store.get(key)) | {"schema_version": SCHEMA_VERSION + 1, "pages": "one"}
        nights.store.put(key, json.dumps(marker).encode())

        send(nights, "ner", new={"way": [1]})
        send(nights, "result", **{HANDED_BACK: MOST})
        nights.window("open")
        wait_for(lambda: nights.depth("retry-60") == 2, "two messages to wait for a minute")
        with nights.channel() as channel:
            found = [channel.basic_get("retry-60") for _ in range(2)]
        by_task = {
            properties.headers["task"]: (method, properties, body) for method, properties, body in found
        }
        method, properties, body = by_task["nightshift.translate"]
        assert (method.routing_key, body) == ("step.ner", BODY)
        assert properties.headers["new"] == {"way": [1]}
        assert properties.headers[HANDED_BACK] >= 1
        assert by_task["nightshift.ocr"][1].headers["outages"] >= 1

        wait_for(lambda: len(nights.ended()) == 1, "the other document")
        wait_for(lambda: nights.depth("dead") == 1, "the message that has waited for a day")
        letters = json.loads(nightshift("dead", "list", "--json", **nights.env).stdout)["letters"]
        assert [letter["code"] for letter in letters] == ["newer_version"]
        said = [line for line in worker.text().splitlines() if "WARNING" in line and "upgrade this" in line]
        assert {"messages of the queue ner" in line for line in said} == {
            True,
            False,
        }  # and one of the marker
        assert "Traceback" not in worker.text()
        assert nights.pending() == ["ocr_00000"]
