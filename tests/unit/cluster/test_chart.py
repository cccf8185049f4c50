"""The chart, rendered by Helm: Kubernetes would take it, it agrees with the code, and wrong values are refused."""

import copy
import re
from typing import Any

import pytest
import yaml

from pipeline.settings import Settings
from pipeline.version import __version__
from scripts import chart_settings
from tasks.lanes import FIRST_TURN, GPU_QUEUES
from tasks.limits import STARTING, time_limit
from tasks.routing import RAW, WORK_QUEUES
from tests.conftest import ROOT
from tests.support.cluster.chart import CHART, Manifest, Values, faults, helm, of_kind, render

EVERYTHING: Values = {
    "image": {"pullSecrets": ["registry"]},
    "settings": {
        "NIGHTSHIFT_MAX_BYTES": 268435456,
        "NIGHTSHIFT_CLOSE_GRACE": 2.5,
        "NIGHTSHIFT_TEXT_LAYER": False,
        "NIGHTSHIFT_TIME_LIMIT": 200,
        "NIGHTSHIFT_REQUIRE_TLS": True,
    },
    "filesSecret": "certificates",
    "modelsClaim": "models",
    "workerCpu": {"nodeSelector": {"pool": "cpu"}, "tolerations": [{"operator": "Exists"}]},
    "workerGpu": {
        "resource": "nvidia.com/mig-1g.10gb",
        "nodeSelector": {"nvidia.com/mig.strategy": "mixed"},
        "runtimeClassName": "nvidia",
    },
    "flower": {"enabled": True},
    "rabbitmq": {"image": "rabbitmq:4.1.1", "tlsSecret": "tls", "storageClassName": "fast", "replicas": 5},
    "networkPolicy": {
        "storeTo": [{"ipBlock": {"cidr": "10.0.0.0/8"}}],
        "storePort": 7070,
        "extraEgress": [{"ports": [{"port": 443}]}],
        "producersFrom": [{"namespaceSelector": {"matchLabels": {"producers": "yes"}}}],
    },
}
BROKER = "amqps://nightshift-worker:password@nightshift-rabbitmq.night.svc:5671/nightshift"
OWN_BROKER: Values = {
    "rabbitmq": {"enabled": False},
    "networkPolicy": {"brokerTo": [{"ipBlock": {"cidr": "10.1.2.3/32"}}]},
    "workerGpu": {"enabled": False},
}
WITHOUT_KEDA: Values = {"scaling": {"enabled": False}, "workerGpu": {"replicas": 2}}


@pytest.fixture(scope="module")
def usual() -> list[Manifest]:
    return render()


@pytest.fixture(scope="module")
def everything() -> list[Manifest]:
    return render(EVERYTHING)


def container(manifest: Manifest) -> dict[str, Any]:
    (found,) = manifest["spec"]["template"]["spec"]["containers"]
    return dict(found)


def queues(manifest: Manifest) -> set[str]:
    (found,) = (word for word in container(manifest)["args"] if word.startswith("--queues="))
    return set(found.removeprefix("--queues=").split(","))


def test_helm_finds_nothing_to_complain_about() -> None:
    said = helm()
    assert re.match(r"v[34]\.", said["helm"])
    assert [one for one in said["lint"]["messages"] if one["severity"] > 1] == []
    assert said["lint"]["errors"] == []


@pytest.mark.parametrize(
    ("values", "version"),
    [(EVERYTHING, "1.25"), (EVERYTHING, "1.37"), (OWN_BROKER, "1.37"), (WITHOUT_KEDA, "1.37")],
)
def test_kubernetes_knows_every_field(values: Values, version: str) -> None:
    manifests = render(values)
    assert len(manifests) > 10
    assert [fault for manifest in manifests for fault in faults(manifest, version)] == []


def test_a_misspelt_field_would_be_found(everything: list[Manifest]) -> None:
    wrong = copy.deepcopy(everything)
    for manifest in wrong:
        if "spec" in manifest:
            manifest["spec"]["replica"] = 1
    assert {fault.split()[0] for manifest in wrong for fault in faults(manifest, "1.37")} == {
        *("Deployment", "Service", "NetworkPolicy", "PodDisruptionBudget", "ScaledObject", "RabbitmqCluster")
    }


def test_pods_have_no_rights_and_write_only_to_their_own_folders(everything: list[Manifest]) -> None:
    pods = of_kind(everything, "Deployment")
    assert {name.removeprefix("nightshift-") for name in pods} == {
        *("worker-cpu", "worker-gpu", "beat", "exporter", "flower")
    }
    for manifest in pods.values():
        pod, inside = manifest["spec"]["template"]["spec"], container(manifest)
        assert pod["securityContext"]["runAsNonRoot"]
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not pod["automountServiceAccountToken"]
        assert inside["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        empty = {volume["name"] for volume in pod["volumes"] if "emptyDir" in volume}
        writable = {m["mountPath"] for m in inside["volumeMounts"] if not m.get("readOnly")}
        assert writable == {"/tmp", "/var/cache/nightshift"}
        assert {m["name"] for m in inside["volumeMounts"] if not m.get("readOnly")} == empty
        assert {m["name"] for m in inside["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}
        assert "memory" in inside["resources"]["limits"]
    uid = re.search(r"useradd --uid (\d+)", (ROOT / "docker" / "Dockerfile").read_text())
    assert uid
    assert pod["securityContext"]["runAsUser"] == int(uid[1])


def test_the_settings_are_those_of_the_code(everything: list[Manifest]) -> None:
    assert chart_settings.SCHEMA.read_text() == chart_settings.text(), "run python -m scripts.chart_settings"
    (data,) = (one["data"] for one in of_kind(everything, "ConfigMap").values())
    for manifest in of_kind(everything, "Deployment").values():
        own = {one["name"]: one["value"] for one in container(manifest).get("env", [])}
        settings = Settings.from_env(data | own | {"NIGHTSHIFT_BROKER_URL": BROKER})
        assert settings.temp_dir == "/tmp"
        assert (settings.max_bytes, settings.close_grace, settings.text_layer) == (268435456, 2.5, False)
    gpu = of_kind(everything, "Deployment")["nightshift-worker-gpu"]
    assert {"name": "NIGHTSHIFT_DEVICES", "value": "gpu:0"} in container(gpu)["env"]


def test_each_queue_has_workers_and_results_wait_for_no_gpu(usual: list[Manifest]) -> None:
    work = {queue.name for queue in WORK_QUEUES} - set(GPU_QUEUES)
    of = of_kind(usual, "Deployment")
    assert queues(of["nightshift-worker-gpu"]) == {*FIRST_TURN, "result"}
    assert queues(of["nightshift-worker-cpu"]) == {*work, RAW}
    alone = of_kind(render(OWN_BROKER), "Deployment")
    assert "nightshift-worker-gpu" not in alone
    assert queues(alone["nightshift-worker-cpu"]) == {*work, RAW, *FIRST_TURN}


def test_a_worker_may_end_its_page_group(usual: list[Manifest], everything: list[Manifest]) -> None:
    for manifests, seconds in ((usual, Settings().time_limit), (everything, 200.0)):
        for name in ("nightshift-worker-gpu", "nightshift-worker-cpu"):
            grace = of_kind(manifests, "Deployment")[name]["spec"]["template"]["spec"][
                "terminationGracePeriodSeconds"
            ]
            limit = time_limit(1, Settings.from_env({"NIGHTSHIFT_TIME_LIMIT": str(seconds)}))
            assert grace == seconds + 30 > limit > seconds + STARTING - 1


def test_liveness_asks_whether_a_worker_hangs(usual: list[Manifest]) -> None:
    for name in ("nightshift-worker-gpu", "nightshift-worker-cpu"):
        inside = container(of_kind(usual, "Deployment")[name])
        assert (
            inside["livenessProbe"]["httpGet"]
            == inside["startupProbe"]["httpGet"]
            == {
                "path": "/livez",
                "port": "metrics",
            }
        )
        assert inside["readinessProbe"]["httpGet"]["path"] == "/healthz"
        (port,) = inside["ports"]
        assert {"name": "NIGHTSHIFT_METRICS_ADDRESS", "value": f"0.0.0.0:{port['containerPort']}"} in inside[
            "env"
        ]


def test_beat_is_alone_and_gpu_pods_begin_with_none(usual: list[Manifest]) -> None:
    of = of_kind(usual, "Deployment")
    assert of["nightshift-beat"]["spec"]["replicas"] == 1
    assert of["nightshift-beat"]["spec"]["strategy"] == {"type": "Recreate"}
    assert of["nightshift-worker-gpu"]["spec"]["replicas"] == 0, "an installation by day starts no pod"
    assert of_kind(render(WITHOUT_KEDA), "Deployment")["nightshift-worker-gpu"]["spec"]["replicas"] == 2


def test_gpu_pods_ask_for_one_gpu_or_a_part_of_one(usual: list[Manifest], everything: list[Manifest]) -> None:
    name = "nightshift-worker-gpu"
    assert container(of_kind(usual, "Deployment")[name])["resources"]["limits"]["nvidia.com/gpu"] == 1
    assert (
        container(of_kind(everything, "Deployment")[name])["resources"]["limits"]["nvidia.com/mig-1g.10gb"]
        == 1
    )


def test_everything_is_denied_but_broker_store_names_and_scrapes(
    usual: list[Manifest], everything: list[Manifest]
) -> None:
    policies = of_kind(usual, "NetworkPolicy")
    deny = policies["nightshift-deny"]["spec"]
    assert deny["policyTypes"] == ["Ingress", "Egress"]
    assert "ingress" not in deny
    assert "egress" not in deny
    selected = deny["podSelector"]["matchLabels"].items()
    for manifest in of_kind(usual, "Deployment").values():
        assert selected <= manifest["spec"]["template"]["metadata"]["labels"].items()
    reached = {
        port["port"]
        for policy in policies.values()
        if policy["metadata"]["name"] != "nightshift-rabbitmq"
        for rule in policy["spec"].get("egress", [])
        for port in rule["ports"]
    }
    assert reached == {53, 5672, 443}
    with_tls = of_kind(everything, "NetworkPolicy")["nightshift-rabbitmq"]["spec"]["ingress"]
    assert [port["port"] for rule in with_tls for port in rule.get("ports", [])] == [5671, 15671, 15691]
    asked = [rule for policy in policies.values() for rule in policy["spec"].get("ingress", [])]
    assert all(rule["from"] for rule in asked), "an empty list means everyone"


def test_the_exporter_answers_by_the_name_that_keda_uses(usual: list[Manifest]) -> None:
    (hosts,) = (one["value"] for one in container(of_kind(usual, "Deployment")["nightshift-exporter"])["env"])
    (service,) = of_kind(usual, "Service")
    assert hosts == f"{service}.night.svc"
    (scaled,) = of_kind(usual, "ScaledObject").values()
    urls = {one["metadata"]["url"] for one in scaled["spec"]["triggers"] if "url" in one["metadata"]}
    assert urls == {f"http://{hosts}:9808/metrics"}


def test_rabbitmq_is_that_of_the_other_installations(usual: list[Manifest]) -> None:
    (cluster,) = of_kind(usual, "RabbitmqCluster").values()
    assert cluster["spec"]["replicas"] == 3
    config = cluster["spec"]["rabbitmq"]["additionalConfig"]
    for line in (ROOT / "docker" / "rabbitmq.conf").read_text().splitlines():
        if line and not line.startswith("#"):
            assert f"{line}\n" in config
    assert f":-{cluster['spec']['image']}}}" in (ROOT / "docker" / "compose.yaml").read_text()
    assert "default_queue_type = quorum\n" in config, "inference_tasks would be on one node"
    (mounted,) = (
        mount["mountPath"]
        for one in cluster["spec"]["override"]["statefulSet"]["spec"]["template"]["spec"]["containers"]
        for mount in one["volumeMounts"]
    )
    assert f"load_definitions = {mounted}/definitions.json\n" in config


def test_the_version_is_that_of_the_product() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert chart["version"] == chart["appVersion"] == __version__
