"""Tenants with a real broker and a real worker: the many pages of one do not delay the few of another."""

import time
from pathlib import Path

import pika
import pytest

from tasks.lanes import SLICE, SLICES
from tests.support.command import page
from tests.support.night import RAW, Night, night
from tests.support.servers import wait_for
from tests.support.servers.rabbit import Rabbit

MANY, FEW = 300, 5


def tenants_colours(it: Night) -> list[str]:
    """Tenant of each page, in the order in which the engine has read them."""
    return ["few" if colour.endswith("ff") else "many" for colour in it.fake_log.read_text().split()]


@pytest.mark.long
def test_the_few_pages_of_one_tenant_do_not_wait_for_the_many_of_another(
    rabbit: Rabbit, tmp_path: Path
) -> None:
    with night(rabbit, tmp_path, NIGHTSHIFT_WINDOW="never") as it:
        many = it.documents(MANY, "many", tenant="many")
        for n in range(FEW):
            page(it.inbox / f"few_{n}.png", (n, 100, 255))
        few = [it.document(f"few_{n}", it.inbox / f"few_{n}.png", tenant="few") for n in range(FEW)]
        it.ready(it.worker())
        it.publish(many)
        wait_for(lambda: it.depth("ocr") + it.depth("ocr-2") == MANY, "the many to be ingested", 60)
        ahead = it.depth("ocr")
        assert 100 <= ahead <= 200, "the first hundred of each process"
        it.publish(few)
        wait_for(lambda: it.depth("ocr") == ahead + FEW, "the few to be ingested")
        wait_for(lambda: time.time() % (SLICES * SLICE) < 40, "slices of the first turn", SLICES * SLICE)
        it.window("open")
        it.settle(MANY + FEW)
        order = tenants_colours(it)
        assert order.count("few") == FEW
        last = max(place for place, tenant in enumerate(order) if tenant == "few")
        assert last < ahead + FEW + 20 < MANY


@pytest.mark.parametrize("user", ["guest", None])
def test_a_bound_tenant_is_the_brokers_word(rabbit: Rabbit, tmp_path: Path, user: str | None) -> None:
    env = {"NIGHTSHIFT_WINDOW": "always", "NIGHTSHIFT_TENANT_USERS": "guest=archive"}
    with night(rabbit, tmp_path, **env) as it:
        text = b'{"task_id": "%s", "task_type": "nlp", "text": "colour 123456", "tenant": "%s"}'
        with it.channel() as channel:
            properties = pika.BasicProperties(delivery_mode=2, user_id=user)
            for name, tenant in ((b"own", b"archive"), (b"none", b""), (b"other", b"clinic")):
                channel.basic_publish("", RAW, text % (name, tenant), properties, mandatory=True)
        it.ready(it.worker())
        records = it.settle(3)
        found = {name: (r.status, r.tenant, r.error and r.error.code) for name, r in records.items()}
        refused = "tenant_refused"
        if user:
            assert found["own"] == found["none"] == ("done", "archive", None)
            assert found["other"] == ("failed", "", refused)
        else:
            assert found["own"] == ("failed", "", refused)
            assert found["none"] == ("done", "", None)
            assert found["other"] == ("done", "clinic", None)
