"""RabbitMQ's definitions file says what the code says, and gives no user a password."""

import json
import re
import runpy
from typing import Any

import pytest

from tasks.routing import DECLARED, EXCHANGES
from tests.conftest import ROOT
from tests.support import roles

DEFINITIONS: dict[str, list[dict[str, Any]]] = json.loads(
    (ROOT / "docker" / "rabbitmq" / "definitions.json").read_text()
)
VHOST = "nightshift"


def test_exchanges_and_queues_are_those_of_the_code() -> None:
    exchanges = [
        {
            "name": exchange.name,
            "vhost": VHOST,
            "type": exchange.type,
            "durable": exchange.durable,
            "auto_delete": False,
            "internal": False,
            "arguments": exchange.arguments or {},
        }
        for exchange in EXCHANGES
    ]
    queues = [
        {
            "name": queue.name,
            "vhost": VHOST,
            "durable": True,
            "auto_delete": False,
            "arguments": queue.queue_arguments or {},
        }
        for queue in DECLARED
    ]
    bindings = [
        {
            "source": queue.exchange.name,
            "vhost": VHOST,
            "destination": queue.name,
            "destination_type": "queue",
            "routing_key": queue.routing_key or "",
            "arguments": {},
        }
        for queue in DECLARED
    ]
    assert DEFINITIONS["exchanges"] == exchanges
    assert DEFINITIONS["queues"] == queues
    assert DEFINITIONS["bindings"] == bindings


def test_a_worker_may_use_all_of_them() -> None:
    (worker,) = (one for one in DEFINITIONS["permissions"] if one["user"] == "nightshift-worker")
    for name in [*(exchange.name for exchange in EXCHANGES), *(queue.name for queue in DECLARED)]:
        assert re.search(worker["configure"], name), name
        assert re.search(worker["write"], name), name
        assert re.search(worker["read"], name) or name == "celeryev", name


def test_each_right_is_bounded_and_no_user_has_a_password() -> None:
    assert [one["name"] for one in DEFINITIONS["users"]] == [f"nightshift-{role}" for role in roles.ROLES]
    for user in DEFINITIONS["users"]:
        assert user["password_hash"] == ""
        assert "administrator" not in user["tags"]
    for one in [*DEFINITIONS["permissions"], *DEFINITIONS["topic_permissions"]]:
        for right in {"configure", "write", "read"} & set(one):
            assert re.fullmatch(r"\^.*\$", one[right]), one


def test_a_password_of_each_user_is_needed_and_kept_as_a_salted_hash() -> None:
    script = runpy.run_path(str(roles.USERS))
    environ = {f"RABBITMQ_{role.upper()}_PASSWORD": f"{role}-" + "x" * 16 for role in roles.ROLES}
    made = script["with_passwords"](DEFINITIONS, environ)
    assert {key: value for key, value in made.items() if key != "users"} == {
        key: value for key, value in DEFINITIONS.items() if key != "users"
    }
    assert not any("x" * 16 in json.dumps(user) for user in made["users"])
    assert (
        script["password_hash"]("test12", bytes.fromhex("908dc60a"))
        == "kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR"
    )
    for wrong in ("", "short"):
        with pytest.raises(ValueError, match="RABBITMQ_OPERATOR_PASSWORD"):
            script["with_passwords"](DEFINITIONS, environ | {"RABBITMQ_OPERATOR_PASSWORD": wrong})
