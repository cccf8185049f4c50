"""Flower's defaults: loopback, the login of our settings, read-only, bounded memory; wherever it is started.

Flower looks for a `flowerconfig.py` in the working folder only. So `celery -A tasks flower` gets its defaults here,
when Celery's command line loads our application, before Flower reads its `FLOWER_*` variables, a configuration file
and the command line. Each of these wins over the ones before it, but none may open Flower to others without a login.
"""

from __future__ import annotations

import ipaddress
import os
import signal
import sys
import threading
from itertools import count
from pathlib import Path
from typing import Any

from pipeline.settings import Settings

DEFAULTS = {
    "address": "127.0.0.1",
    "enable_events": False,  # workers always send them, and asking for them needs the right to order workers about
    "read_only": True,  # its buttons start tasks and let workers consume outside the window
    "max_tasks": 20_000,  # about 4,000 documents; Flower keeps all of them in memory
    "tasks_columns": "received,name,args,state,runtime,worker,uuid",
}

_PATIENCE = 5.0  # seconds after SIGTERM in which it may end by itself


def configure() -> None:
    """Set the defaults, if this process is Celery's command line with Flower installed."""
    if "flower.command" not in sys.modules:
        return
    from tornado.options import options

    for name, value in DEFAULTS.items():
        setattr(options, name, value)
    _only_read_events()
    passes = count(1)

    def parsed() -> None:
        if not options.basic_auth:
            options.basic_auth = _login()
        if not options.broker_api:
            options.broker_api = _management()
        if next(passes) == 1 and Path(options.conf).is_file():
            return  # Flower reads that file next, then parses the command line again
        _refuse_strangers(options)

    options.add_parse_callback(parsed)
    _adapt(options)


def _adapt(options: Any) -> None:
    """Without a login, answer only who asks for this machine by its own name; end when asked to.

    A page of any other site can have a browser here send requests, to a name of its own that resolves to 127.0.0.1 (DNS
    rebinding), and read the answers; the name is then in the Host header.
    """
    from flower import app, command
    from tornado.web import RequestHandler

    class Stranger(RequestHandler):
        def prepare(self) -> None:
            self.set_status(403)
            self.set_header("Content-Type", "text/plain; charset=UTF-8")
            self.finish(
                "Without a login, Flower only answers requests for localhost: open http://127.0.0.1, or set "
                "NIGHTSHIFT_FLOWER_USER and NIGHTSHIFT_FLOWER_PASSWORD.\n"
            )

    class Adapted(app.Flower):
        def start(self) -> None:
            signal.signal(signal.SIGTERM, lambda *_: _end(self))
            super().start()

        def find_handler(self, request: Any, **kwargs: Any) -> Any:
            open_to_all = not (options.basic_auth or options.auth or options.unix_socket)
            if open_to_all and not _is_loopback(request.host_name.strip("[]")):
                return self.get_handler_delegate(request, Stranger)
            return super().find_handler(request, **kwargs)

    command.Flower = Adapted


def _end(flower: Any) -> None:
    """End on SIGTERM: Flower's own handler raises in whatever runs, and then waits for threads that ask the broker."""
    threading.Timer(_PATIENCE, os._exit, (0,)).start()
    flower.io_loop.add_callback_from_signal(flower.stop)


def _only_read_events() -> None:
    """Have events received without declaring their exchange, and without asking workers to show themselves.

    Both need rights that a monitor should not have. Workers send a heartbeat every two seconds.
    """
    from celery.events import receiver

    made = receiver.get_exchange

    def existing(*args: Any, **kwargs: Any) -> Any:
        exchange = made(*args, **kwargs)
        exchange.no_declare = True
        return exchange

    receiver.get_exchange = existing
    receiver.EventReceiver.wakeup_workers = lambda *_, **__: None


def _login() -> list[str]:
    """User and password as Flower expects them; empty if none is set."""
    settings = Settings.from_env()
    user, password = settings.flower_user, settings.flower_password
    if not user and not password:
        return []
    if not user or not password or ":" in user:
        raise SystemExit(
            "Set both NIGHTSHIFT_FLOWER_USER (without a colon) and NIGHTSHIFT_FLOWER_PASSWORD, or neither."
        )
    return [f"{user}:{password}"]


def _management() -> str | None:
    """Address of RabbitMQ's management API; Flower adds the user of the broker URL."""
    url = Settings.from_env().management_url
    return url.rstrip("/").removesuffix("/api") + "/api/" if url else None


def _refuse_strangers(options: Any) -> None:
    """Exit unless Flower asks for a login or listens on this machine only."""
    logins = options.basic_auth or []
    if not all(login.partition(":")[2] for login in logins):
        raise SystemExit("Flower's basic_auth contains a login without a password.")
    if not (logins or options.auth or options.unix_socket or _is_loopback(options.address)):
        raise SystemExit(
            f"Flower will not listen on {options.address or 'every address'} without a login: set "
            "NIGHTSHIFT_FLOWER_USER and NIGHTSHIFT_FLOWER_PASSWORD, or leave it on 127.0.0.1."
        )
    encrypted = options.unix_socket or (options.certfile and options.keyfile)
    if Settings.from_env().require_tls and not (encrypted or _is_loopback(options.address)):
        raise SystemExit(
            f"Flower will not listen on {options.address or 'every address'} without TLS, as NIGHTSHIFT_REQUIRE_TLS is "
            "true: set its --certfile and --keyfile, or leave it on 127.0.0.1."
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"  # an empty address means every interface
