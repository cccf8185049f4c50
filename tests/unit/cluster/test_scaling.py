"""GPU pods over simulated days, by the ScaledObject of the chart: none outside the window, nothing waits forever."""

import random
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipeline.telemetry.metrics import METRICS
from tasks.lanes import FIRST_TURN
from tests.conftest import ROOT
from tests.support.cluster.chart import of_kind, render
from tests.support.cluster.formula import names
from tests.support.cluster.night import EXPORTER_PERIOD, STOPPING, Day, by_day

ZONE = "Europe/Berlin"
USUAL = datetime(2026, 11, 20)
SPRING, AUTUMN = datetime(2026, 3, 28), datetime(2026, 10, 24)


@pytest.fixture(scope="module")
def scaled() -> dict[str, Any]:
    (found,) = of_kind(render(), "ScaledObject").values()
    return found


@pytest.fixture(scope="module")
def slack(scaled: Mapping[str, Any]) -> timedelta:
    """From the close of the window until no pod is wanted: the exporter looks, KEDA looks, the cooldown, KEDA looks."""
    spec = scaled["spec"]
    return timedelta(seconds=EXPORTER_PERIOD + 2 * spec["pollingInterval"] + spec["cooldownPeriod"])


def check(day: Day, slack: timedelta) -> None:
    """No pod before the window opens, none is wanted after it has closed, and all are gone soon after."""
    wanted = 0
    for at, replicas in day.changes:
        if replicas > wanted:
            assert day.window.contains(at) or day.window.contains(at - slack), at
        wanted = replicas
    for local, _, replicas, pods in day.minutes:
        at = local.astimezone(UTC)
        if not day.window.contains(at) and not day.window.contains(at - slack):
            assert replicas == 0, local
        if not day.window.contains(at - slack - timedelta(seconds=STOPPING + 60)) and not day.window.contains(
            at
        ):
            assert pods == 0, local


def moments(day: Day, replicas: int) -> Iterator[str]:
    """Local times at which so many became wanted."""
    return (f"{at.astimezone(day.zone):%H:%M}" for at, number in day.changes if number == replicas)


def test_the_formula_uses_each_trigger_and_each_value_is_exposed(scaled: Mapping[str, Any]) -> None:
    spec = scaled["spec"]
    assert names(spec["advanced"]["scalingModifiers"]["formula"]) == {one["name"] for one in spec["triggers"]}
    exposed = {metric.name: metric for metric in METRICS if metric.by == "exporter"}
    lanes = set()
    for trigger in spec["triggers"]:
        name, _, label = trigger["metadata"].get("valueLocation", "").partition("{")
        if label:
            assert exposed[name].labels == ("queue",)
            lanes.add(label.removeprefix('queue="').removesuffix('"}'))
        elif name:
            assert exposed[name].labels == ()
    assert lanes == set(FIRST_TURN), "queues of further turns are part of these"


@pytest.mark.parametrize(("date", "hours"), [(USUAL, 8), (SPRING, 7), (AUTUMN, 9)])
def test_a_full_night(scaled: Mapping[str, Any], slack: timedelta, date: datetime, hours: int) -> None:
    day = Day(scaled, date, by_day(300_000), zone=ZONE).run()
    check(day, slack)
    assert next(moments(day, 1)) == "22:00"
    assert list(moments(day, 0)) == ["06:01"]
    (first, _), *_, (last, _) = day.changes
    assert timedelta(hours=hours) - slack < last - first < timedelta(hours=hours) + slack
    assert max(replicas for _, replicas in day.changes) == scaled["spec"]["maxReplicaCount"]


def test_pods_leave_when_the_work_is_done(scaled: Mapping[str, Any], slack: timedelta) -> None:
    day = Day(scaled, USUAL, by_day(3_000), zone=ZONE).run()
    check(day, slack)
    assert day.minutes[-1][1] == 0
    (end,) = moments(day, 0)
    assert "22:10" < end < "22:30"


def test_few_documents_wait_for_the_last_hour_and_are_done_in_it(
    scaled: Mapping[str, Any], slack: timedelta
) -> None:
    for count in (1, 100):
        day = Day(scaled, USUAL, by_day(count), zone=ZONE).run()
        check(day, slack)
        assert list(moments(day, 1)) == ["05:00"]
        assert day.minutes[-1][1] == 0
    day = Day(scaled, USUAL, by_day(101), zone=ZONE).run()
    assert list(moments(day, 1)) == ["22:00"]
    assert day.minutes[-1][1] == 0, "what is fewer than a hundred is still done once there is a pod"


def test_an_urgent_document_starts_a_pod_in_the_window_only(
    scaled: Mapping[str, Any], slack: timedelta
) -> None:
    def arrive(at: datetime) -> Mapping[str, int]:
        return {"urgent": 1} if f"{at.astimezone(UTC):%H:%M:%S}" in ("15:00:00", "00:30:00") else {}

    day = Day(scaled, USUAL, arrive, zone=ZONE).run()
    check(day, slack)
    assert list(moments(day, 1)) == ["22:00", "01:30"]
    assert day.minutes[-1][1] == 0


def test_without_the_exporter_there_are_no_pods_after_the_cooldown(
    scaled: Mapping[str, Any], slack: timedelta
) -> None:
    def dark(at: datetime) -> bool:
        return "04:55" <= f"{at:%H:%M}" < "07:00" or "00:00:00" <= f"{at:%H:%M:%S}" < "00:00:40"

    day = Day(scaled, USUAL, by_day(300_000), zone=ZONE, dark=dark).run()
    check(day, slack)
    assert list(moments(day, 0)) == ["05:56"], "nobody knows that the window closes at 06:00; 40 s do no harm"


def test_without_the_broker_there_are_no_pods_until_it_is_back(
    scaled: Mapping[str, Any], slack: timedelta
) -> None:
    day = Day(
        scaled, USUAL, by_day(300_000), zone=ZONE, sick=lambda at: "00:00" <= f"{at:%H:%M}" < "00:30"
    ).run()
    check(day, slack)
    assert list(moments(day, 0)) == ["01:01", "06:01"]
    assert list(moments(day, 1)) == ["22:00", "01:30"]


@pytest.mark.parametrize("window", ["mon-fri 20:30-05:45; sat 14:00-24:00", "22:00-02:30,04:00-06:00"])
@pytest.mark.parametrize("seed", range(3))
def test_random_days(scaled: Mapping[str, Any], slack: timedelta, window: str, seed: int) -> None:
    chance = random.Random(seed)
    bursts = {chance.randrange(24 * 720): chance.choice((1, 30, 99, 3_000)) for _ in range(12)}
    phases = (chance.randrange(0, 15, 5), chance.randrange(0, 15, 5), chance.randrange(0, 15, 5))
    steps = iter(range(26 * 720))

    def arrive(_: datetime) -> Mapping[str, int]:
        lane = chance.choice(("ocr", "ner", "filler"))
        return {lane: bursts.get(next(steps), 0)}

    day = Day(scaled, AUTUMN, arrive, zone=ZONE, window=window, phases=phases, speed=3.0).run()
    check(day, slack)


def test_a_formula_without_the_window_would_be_noticed(scaled: Mapping[str, Any], slack: timedelta) -> None:
    spec = scaled["spec"]
    formula = spec["advanced"]["scalingModifiers"]["formula"].replace("window > 0 &&", "window >= 0 &&")
    modifiers = {**spec["advanced"]["scalingModifiers"], "formula": formula}
    wrong = {"spec": {**spec, "advanced": {**spec["advanced"], "scalingModifiers": modifiers}}}
    with pytest.raises(AssertionError):
        check(Day(wrong, USUAL, by_day(3_000), zone=ZONE).run(), slack)


def test_the_page_says_how_long_pods_may_stay(slack: timedelta) -> None:
    page = " ".join((ROOT / "docs/how-to/kubernetes.md").read_text().split())
    assert f"at most {slack.total_seconds():.0f} s after close" in page
