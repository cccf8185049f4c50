"""The chart as Helm renders it, and whether Kubernetes would take what comes out."""

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import yaml
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from tests.conftest import ROOT
from tests.support.cluster.resources import CUSTOM
from tests.support.servers import unavailable

CHART = ROOT / "docker" / "k8s"
TOOLS = ROOT / ".services" / "helm"
API = TOOLS / "kubernetes_validate" / "kubernetes-json-schema"

Manifest = dict[str, Any]
Values = dict[str, Any]


def helm(*values: Values) -> dict[str, Any]:
    """What Helm says of the chart, and makes of it with each of these values; skips where there is no Helm."""
    if not (TOOLS / ".done").exists():
        unavailable("Helm (the package helm-python-sdk)")
    command = [sys.executable, str(Path(__file__).with_name("sdk.py")), str(CHART)]
    env = {**os.environ, "PYTHONPATH": str(TOOLS)}
    done = subprocess.run(
        command, input=json.dumps(values), env=env, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def refusals(*values: Values) -> list[str]:
    """Why Helm refuses each of these values; empty for one that it takes."""
    return [found if isinstance(found, str) else "" for found in helm(*values)["found"]]


def render(values: Values | None = None) -> list[Manifest]:
    """The manifests, in the order of their files."""
    (found,) = helm(values or {})["found"]
    assert isinstance(found, dict), found
    return [
        manifest
        for name, text in sorted(found.items())
        if name.endswith(".yaml")
        for manifest in yaml.safe_load_all(text)
        if manifest
    ]


def of_kind(manifests: list[Manifest], kind: str) -> dict[str, Manifest]:
    """Those of a kind, by name."""
    return {one["metadata"]["name"]: one for one in manifests if one["kind"] == kind}


def faults(manifest: Manifest, version: str) -> list[str]:
    """What is wrong with a manifest, by the API of a Kubernetes version such as 1.37; fields that it lacks included."""
    return [
        f"{manifest['kind']} {manifest['metadata']['name']}: {error.json_path}: {error.message[:200]}"
        for error in _validator(manifest["kind"], manifest["apiVersion"], version).iter_errors(manifest)
    ]


@cache
def _validator(kind: str, api: str, version: str) -> Any:
    group, _, number = api.rpartition("/")
    if schema := CUSTOM.get(f"{kind}.{group}"):
        return jsonschema.Draft202012Validator(schema)
    folder = API / f"v{version}.0-local-strict"
    name = "-".join(filter(None, [kind.lower(), group.partition(".")[0], number]))
    schema = json.loads((folder / f"{name}.json").read_text())
    return jsonschema.Draft202012Validator(schema, registry=_definitions(folder))


@cache
def _definitions(folder: Path) -> Any:
    contents = json.loads((folder / "_definitions.json").read_text())
    resource = Resource.from_contents(contents, default_specification=DRAFT202012)
    return Registry().with_resource("_definitions.json", resource)
