"""What KEDA and the autoscaler that it creates do with a ScaledObject, second by second.

Written after KEDA's source of August 2026, `pkg/scaling/executor/scale_scaledobjects.go` (from zero and to zero),
`pkg/scaling/scale_handler.go` (activity with a formula), `pkg/fallback/fallback.go` and
`pkg/scalers/metrics_api_scaler.go` (values), and Kubernetes' documentation of the HorizontalPodAutoscaler (tolerance,
policies, stabilization).
"""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from tests.support.cluster.formula import evaluate
from tests.support.scraped import Values

HPA_PERIOD = 15
TOLERANCE = 0.1
_LOCATION = re.compile(r'(\w+)(?:\{(\w+)="([^"]*)"\})?')


class Unknown(Exception):
    """A trigger has no value."""


class Keda:
    """Decides how many pods a Deployment should have.

    scrape: the values that the exporter answers with, or `OSError`. pods: how many there are, ending ones included.
    phases: seconds after which KEDA and the autoscaler look for the first time.
    """

    def __init__(
        self,
        manifest: Mapping[str, Any],
        scrape: Callable[[], Values],
        pods: Callable[[], int],
        phases: tuple[int, int] = (5, 0),
    ) -> None:
        self._spec = manifest["spec"]
        self._modifiers = self._spec["advanced"]["scalingModifiers"]
        self._scrape, self._pods, self._phases = scrape, pods, phases
        self._active_at = -math.inf
        self._failures = 0
        self._wanted: list[tuple[int, int]] = []  # what the autoscaler would have liked, with the time
        self._changes: list[tuple[int, int]] = []  # what it has changed
        self.replicas = 0

    def second(self, now: int) -> None:
        """What happens at the second `now`."""
        if (now - self._phases[0]) % self._spec["pollingInterval"] == 0:
            self._poll(now)
        if (now - self._phases[1]) % HPA_PERIOD == 0 and self.replicas:
            self._autoscale(now)

    def values(self) -> dict[str, float]:
        """What each trigger says now; raises `Unknown`."""
        found: dict[str, float] = {}
        for trigger in self._spec["triggers"]:
            data = trigger["metadata"]
            if trigger["type"] == "kubernetes-workload":
                found[trigger["name"]] = self._pods()
            else:
                assert (trigger["type"], data["format"]) == ("metrics-api", "prometheus")
                found[trigger["name"]] = self._value(data["valueLocation"])
        return found

    def _value(self, location: str) -> float:
        match = _LOCATION.fullmatch(location)
        assert match, location
        try:
            return self._scrape()[(match[1], match[3]) if match[2] else (match[1],)]
        except (OSError, KeyError) as error:
            raise Unknown(location) from error

    def _metric(self) -> float:
        return evaluate(self._modifiers["formula"], self.values())

    def _poll(self, now: int) -> None:
        fallback = self._spec.get("fallback")
        try:
            active, failed = self._metric() > float(self._modifiers["activationTarget"]), False
            self._failures = 0
        except Unknown:
            active, failed = False, True
            self._failures += 1
        if active:
            self._active_at = now
            if not self.replicas:
                self._set(now, 1)
        elif failed and (fallback is None or fallback["replicas"]):
            return
        elif self.replicas and now > self._active_at + self._spec["cooldownPeriod"]:
            self._set(now, 0)

    def _autoscale(self, now: int) -> None:
        """Only between one and the most: zero is KEDA's."""
        try:
            value = self._metric()
        except Unknown:
            fallback = self._spec.get("fallback")
            if fallback is None or self._failures <= fallback["failureThreshold"]:
                return
            value = 0.0
        target, most = float(self._modifiers["target"]), self._spec["maxReplicaCount"]
        near = abs(value / (target * self.replicas) - 1) <= TOLERANCE
        liked = self.replicas if near else min(max(math.ceil(value / target), 1), most)
        behavior = self._spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
        window = behavior["scaleDown"]["stabilizationWindowSeconds"]
        self._wanted = [(at, number) for at, number in self._wanted if now - at <= window] + [(now, liked)]
        if liked > self.replicas:
            self._set(now, min(liked, self.replicas + self._room(now, behavior["scaleUp"], +1)))
        else:
            steady = min(max(number for _, number in self._wanted), self.replicas)
            self._set(now, max(steady, self.replicas - self._room(now, behavior["scaleDown"], -1)))

    def _room(self, now: int, direction: Mapping[str, Any], sign: int) -> int:
        (policy,) = direction["policies"]
        assert policy["type"] == "Pods"
        recent = sum(sign * change for at, change in self._changes if now - at < policy["periodSeconds"])
        return max(int(policy["value"]) - max(recent, 0), 0)

    def _set(self, now: int, replicas: int) -> None:
        if replicas != self.replicas:
            self._changes.append((now, replicas - self.replicas))
            self.replicas = replicas
