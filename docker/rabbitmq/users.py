"""Add passwords to the users of definitions.json: `python users.py OUTPUT`, with Python's own library only.

For each user, such as nightshift-worker, reads the password from the environment variable RABBITMQ_WORKER_PASSWORD (at
least 16 characters), and writes its salted hash, as RabbitMQ keeps it. OUTPUT is what RabbitMQ loads
(`load_definitions`, or `rabbitmqctl import_definitions OUTPUT`). Without a password a user can't log in.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

DEFINITIONS = Path(__file__).with_name("definitions.json")
SHORTEST = 16


def password_hash(password: str, salt: bytes) -> str:
    """A password as RabbitMQ's `rabbit_password_hashing_sha256` keeps it; `salt` has four bytes."""
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()


def variable(user: str) -> str:
    """Name of the environment variable with a user's password."""
    return f"RABBITMQ_{user.removeprefix('nightshift-').upper()}_PASSWORD"


def with_passwords(definitions: dict[str, Any], environ: Mapping[str, str]) -> dict[str, Any]:
    """The definitions with a hash for each user. Raises `ValueError` for one without a password, or a short one."""
    users = []
    for user in definitions["users"]:
        password = environ.get(variable(user["name"]), "")
        if len(password) < SHORTEST:
            raise ValueError(f"Set {variable(user['name'])} to a password of at least {SHORTEST} characters.")
        users.append({**user, "password_hash": password_hash(password, os.urandom(4))})
    return {**definitions, "users": users}


def main(output: str) -> None:
    """Write the definitions with passwords to a file."""
    try:
        made = with_passwords(json.loads(DEFINITIONS.read_text()), os.environ)
    except ValueError as error:
        sys.exit(str(error))
    Path(output).write_text(json.dumps(made, indent=2))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Usage: python users.py OUTPUT")
    main(sys.argv[1])
