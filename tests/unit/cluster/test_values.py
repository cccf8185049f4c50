"""Values of the chart: wrong ones are refused with a sentence, none is a secret, windows are those of the code."""

import math
import re
from typing import Any

import pytest
import yaml

from pipeline.errors import UsageError
from pipeline.night.window import OffPeakWindow
from pipeline.settings import PREFIX
from pipeline.settings_check import SECRET
from scripts import chart_settings
from tests.conftest import ROOT
from tests.support.cluster.chart import CHART, Values, refusals, render


def test_no_secret_is_a_value() -> None:
    secrets = [PREFIX + name.upper() for name in SECRET]
    assert "NIGHTSHIFT_BROKER_URL" in secrets
    said = refusals(*({"settings": {name: "x"}} for name in secrets))
    assert all("not allowed" in why for why in said), said
    text = yaml.safe_dump_all(render({"flower": {"enabled": True}}))
    assert not re.search(r"kind: Secret$", text, flags=re.MULTILINE)


def test_every_value_is_in_the_schema_and_has_a_default() -> None:
    values, schema = yaml.safe_load((CHART / "values.yaml").read_text()), chart_settings.schema()

    def compare(given: dict[str, Any], known: dict[str, Any], at: str) -> None:
        assert set(given) == set(known["properties"]) - {"global"}, at
        for name, value in given.items():
            if known["properties"][name].get("properties"):
                compare(value, known["properties"][name], f"{at}.{name}")

    settings = set(values.pop("settings"))
    assert settings < set(schema["properties"].pop("settings")["properties"])
    compare(values, schema, "values")


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (
            {"settings": {"NIGHTSHIFT_WINDOW": "22-6"}},
            '"22-6" is not a window; use one such as "22:00-06:00"',
        ),
        (
            {"settings": {"NIGHTSHIFT_TIMEZONE": "Berlin time"}},
            '"Berlin time" is not the name of a time zone',
        ),
        ({"settings": {"NIGHTSHIFT_WINDWO": "always"}}, "'NIGHTSHIFT_WINDWO' not allowed"),
        (
            {"settings": {"NIGHTSHIFT_WINDOW": "always"}},
            '"always" never closes, so a few documents would wait',
        ),
        ({"scaling": {"lastMinutes": 0}}, "would leave up to 100 documents waiting forever"),
        ({"scaling": {"maxReplicas": 0}}, "at '/scaling/maxReplicas': minimum: got 0, want 1"),
        ({"workerCpu": {"replicas": "two"}}, "at '/workerCpu/replicas': got string, want integer"),
        ({"workerCpu": {"replica": 2}}, "at '/workerCpu': additional properties 'replica' not allowed"),
        ({"workerGpu": {"resource": "gpu"}}, '"gpu" is not a GPU resource; use one such as "nvidia.com/gpu"'),
        ({"rabbitmq": {"replicas": 2}}, "at '/rabbitmq/replicas': value must be one of 1, 3, 5"),
        (
            {"rabbitmq": {"enabled": False}},
            "networkPolicy.brokerTo: empty, so no process could reach RabbitMQ",
        ),
    ],
)
def test_values_that_fit_nothing_are_refused(values: Values, sentence: str) -> None:
    (said,) = refusals(values)
    assert sentence in said


def test_windows_are_taken_as_the_code_takes_them() -> None:
    found = re.findall(
        r"^\| `([^`]+)` \|", (ROOT / "docs/reference/window.md").read_text(), flags=re.MULTILINE
    )
    good = [one for one in found if one not in ("NIGHTSHIFT_WINDOW", "always")]
    assert len(good) > 5
    bad = [
        "",
        "22:00",
        "25:00-06:00",
        "22:00-06:60",
        "someday 22:00-06:00",
        "mon-fri",
        "22:00-06:00;;",
        "never 24h",
    ]
    for one in good:
        OffPeakWindow.parse(one, "UTC")
    for one in bad:
        with pytest.raises(UsageError):
            OffPeakWindow.parse(one, "UTC")
    said = refusals(*({"settings": {"NIGHTSHIFT_WINDOW": one}} for one in [*good, *bad]))
    assert [one for one, why in zip(good, said, strict=False) if why] == []
    assert [one for one, why in zip(bad, said[len(good) :], strict=True) if not why] == []


def test_time_zones_of_the_database_are_taken() -> None:
    from zoneinfo import available_timezones

    zones = sorted(zone for zone in available_timezones() if "/" in zone or zone in ("UTC", "GMT"))
    assert len(zones) > 400
    said = refusals(
        *({"settings": {"NIGHTSHIFT_TIMEZONE": zone}} for zone in zones[:: math.ceil(len(zones) / 60)])
    )
    assert [why for why in said if why] == []
