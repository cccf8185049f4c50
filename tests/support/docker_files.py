"""The files under docker/, read as the programs that use them do."""

import re
from typing import Any

import yaml

from tests.conftest import ROOT

DOCKER = ROOT / "docker"
EXAMPLE = (DOCKER / "nightshift.env.example").read_text()
COMPOSE_TEXT = (DOCKER / "compose.yaml").read_text()
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE_TEXT)["services"]
OURS = {n: s for n, s in SERVICES.items() if s["image"].startswith("nightshift:")}
"""The services that run one of our images."""

SECRET = "PASSWORD|SECRET|SIGNING"
PASSWORDS = {
    f"RABBITMQ_{role}_PASSWORD": f"{role.lower()}-0123456789"
    for role in ("PRODUCER", "WORKER", "OPERATOR", "MONITOR")
} | {
    "S3_SECRET_KEY": "b",
    "FLOWER_PASSWORD": "c",
    "GRAFANA_PASSWORD": "d",
    "NIGHTSHIFT_SIGNING_KEY": "k" * 32,
}


def example() -> dict[str, str]:
    """What the example of docker/.env sets, lines that are commented out included."""
    return dict(re.findall(r"^#? ?([A-Z][A-Z0-9_]+)=(.*)$", EXAMPLE, flags=re.MULTILINE))


def filled(text: str, values: dict[str, str]) -> str:
    """Interpolate as compose does: `${NAME:-default}`, `${NAME:?message}`. Raises `KeyError` for the latter."""

    def value(match: re.Match[str]) -> str:
        name, kind, more = match.groups()
        if values.get(name):
            return values[name]
        if kind == ":?":
            raise KeyError(name)
        return more or ""

    return re.sub(r"\$\{(\w+)(?:(:-|:\?)([^}]*))?\}", value, text)


def instructions() -> list[list[str]]:
    """The Dockerfile's instructions as words, continued lines joined."""
    text = re.sub(r"^\s*#.*\n", "", (DOCKER / "Dockerfile").read_text(), flags=re.MULTILINE)
    return [line.split() for line in text.replace("\\\n", " ").splitlines() if line.strip()]


def stages() -> dict[str, str]:
    """Stage -> what it is made from."""
    return {words[3]: words[1] for words in instructions() if words[0] == "FROM"}
