"""Flower's settings, found by `celery -A tasks flower` in the folder it starts in.

Flower applies its `FLOWER_*` variables first, then this file, then the command line; each wins over the
one before. What the first and the last say already stands in tornado's options when this file runs, so
only what nobody said is set here. Every name below that is an option of Flower becomes that option.
"""

import ipaddress
import os

from tornado.options import options as _options


def _login() -> list[str]:
    """User and password as Flower wants them; empty without."""
    user, password = (os.environ.get(f"NIGHTSHIFT_FLOWER_{name}", "") for name in ("USER", "PASSWORD"))
    if not user and not password:
        return []
    if not user or not password or ":" in user:
        raise SystemExit(
            "Set both NIGHTSHIFT_FLOWER_USER (without a colon) and NIGHTSHIFT_FLOWER_PASSWORD, or neither."
        )
    return [f"{user}:{password}"]


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"  # no address at all means every interface


def _refuse_strangers() -> None:
    """Run on the final options: without a login only this machine may ask."""
    logins = _options.basic_auth or []
    if not all(login.partition(":")[2] for login in logins):
        raise SystemExit("Flower's basic_auth holds a login without a password.")
    if not (logins or _options.auth or _options.unix_socket or _is_loopback(_options.address)):
        raise SystemExit(
            f"Flower will not listen on {_options.address or 'every address'} without a login: set "
            "NIGHTSHIFT_FLOWER_USER and NIGHTSHIFT_FLOWER_PASSWORD, or leave it on 127.0.0.1."
        )


_options.add_parse_callback(_refuse_strangers)

address = _options.address or "127.0.0.1"
basic_auth = _options.basic_auth or _login()
if "FLOWER_READ_ONLY" not in os.environ:
    # Its buttons start tasks and let workers consume past the window.
    read_only = True
if "FLOWER_MAX_TASKS" not in os.environ:
    max_tasks = 20_000  # about 4,000 documents; Flower keeps all of them in memory
if "FLOWER_TASKS_COLUMNS" not in os.environ:
    tasks_columns = "received,name,args,state,runtime,worker,uuid"
