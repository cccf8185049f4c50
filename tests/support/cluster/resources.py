"""Schemas of the custom resources that the chart has, as far as it uses them, with every field that it may not have.

Written after the definitions in kedacore/keda (`config/crd/bases/keda.sh_scaledobjects.yaml`, August 2026) and
rabbitmq/cluster-operator (`api/v1beta1/rabbitmqcluster_types.go`, August 2026).
"""

from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
FLAG: Schema = {"type": "boolean"}
ANYTHING: Schema = {"type": "object"}


def number(least: int = 0) -> Schema:
    return {"type": "integer", "minimum": least}


def record(*required: str, **fields: Schema) -> Schema:
    """An object with these fields and no others."""
    return {"type": "object", "additionalProperties": False, "required": list(required), "properties": fields}


def custom(kind: str, api: str, spec: Schema) -> Schema:
    return record(
        "spec", apiVersion={"const": api}, kind={"const": kind}, metadata={"type": "object"}, spec=spec
    )


POLICIES = {
    "type": "array",
    "items": record(
        "type",
        "value",
        "periodSeconds",
        type={"enum": ["Pods", "Percent"]},
        value=number(1),
        periodSeconds=number(1),
    ),
}
DIRECTION = record(stabilizationWindowSeconds=number(), policies=POLICIES, selectPolicy=TEXT)

TRIGGER = record(
    "type",
    "metadata",
    type=TEXT,
    name=TEXT,
    metricType={"enum": ["AverageValue", "Value", "Utilization"]},
    useCachedMetrics=FLAG,
    authenticationRef=record("name", name=TEXT, kind=TEXT),
    metadata={"type": "object", "additionalProperties": TEXT},
)

SCALED_OBJECT = record(
    "scaleTargetRef",
    "triggers",
    scaleTargetRef=record("name", name=TEXT, kind=TEXT, apiVersion=TEXT, envSourceContainerName=TEXT),
    minReplicaCount=number(),
    maxReplicaCount=number(1),
    idleReplicaCount=number(),
    pollingInterval=number(1),
    cooldownPeriod=number(),
    initialCooldownPeriod=number(),
    fallback=record(
        "failureThreshold",
        "replicas",
        failureThreshold=number(),
        replicas=number(),
        behavior={"enum": ["static", "currentReplicas", "currentReplicasIfHigher", "currentReplicasIfLower"]},
    ),
    advanced=record(
        restoreToOriginalReplicaCount=FLAG,
        scalingModifiers=record(
            "formula",
            "target",
            formula=TEXT,
            target=TEXT,
            activationTarget=TEXT,
            metricType={"enum": ["AverageValue", "Value"]},
        ),
        horizontalPodAutoscalerConfig=record(
            name=TEXT, behavior=record(scaleUp=DIRECTION, scaleDown=DIRECTION)
        ),
    ),
    triggers={"type": "array", "minItems": 1, "items": TRIGGER},
)

RABBITMQ_CLUSTER = record(
    replicas=number(),
    image=TEXT,
    imagePullSecrets={"type": "array", "items": record("name", name=TEXT)},
    service=ANYTHING,
    persistence=record(storage=TEXT, storageClassName=TEXT, emptyDir=ANYTHING),
    resources=record(limits=ANYTHING, requests=ANYTHING),
    affinity=ANYTHING,
    tolerations={"type": "array"},
    rabbitmq=record(
        additionalPlugins={"type": "array", "items": TEXT},
        additionalConfig=TEXT,
        advancedConfig=TEXT,
        envConfig=TEXT,
        erlangInetConfig=TEXT,
    ),
    tls=record(secretName=TEXT, caSecretName=TEXT, disableNonTLSListeners=FLAG),
    override=record(statefulSet=ANYTHING, service=ANYTHING),
    skipPostDeploySteps=FLAG,
    autoEnableAllFeatureFlags=FLAG,
    terminationGracePeriodSeconds=number(),
    delayStartSeconds=number(),
    secretBackend=ANYTHING,
)

CUSTOM = {
    "ScaledObject.keda.sh": custom("ScaledObject", "keda.sh/v1alpha1", SCALED_OBJECT),
    "RabbitmqCluster.rabbitmq.com": custom("RabbitmqCluster", "rabbitmq.com/v1beta1", RABBITMQ_CLUSTER),
}
