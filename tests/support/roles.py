"""The users that Nightshift ships for RabbitMQ, on a real server, with passwords of a test."""

import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT
from tests.support.servers.rabbit import Rabbit

USERS = ROOT / "docker" / "rabbitmq" / "users.py"
VHOST = "nightshift"
ROLES = ("producer", "worker", "operator", "monitor")


def password(role: str) -> str:
    return f"{role}-0123456789abcdef"


def import_definitions(rabbit: Rabbit, folder: Path) -> None:
    """Give the shipped users passwords, as an operator does, and import the file into the server."""
    made = folder / "definitions-with-passwords.json"
    passwords = {f"RABBITMQ_{role.upper()}_PASSWORD": password(role) for role in ROLES}
    subprocess.run([sys.executable, USERS, made], env={**os.environ, **passwords}, check=True)
    rabbit.ctl("import_definitions", str(made))


def url(rabbit: Rabbit, role: str) -> str:
    """Where a role's processes find the broker."""
    return f"amqp://nightshift-{role}:{password(role)}@127.0.0.1:{rabbit.port}/{VHOST}"
