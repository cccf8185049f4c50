"""The dashboards are those of their source, fit Grafana's schema, and ask for what is exposed."""

import json
import re
from itertools import combinations
from typing import Any

import jsonschema
import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models import common, dashboard, units

from pipeline.telemetry.metrics import METRICS, Metric
from scripts.dashboards import DASHBOARDS, FOLDER, as_json
from tests.support.dashboards import BOARDS, RECORDED, expressions, queries
from tests.support.promql import exposed, names, selectors, wrong

PANELS = [
    pytest.param(panel, id=f"{name}: {panel['title']}")
    for name, board in BOARDS.items()
    for panel in board["panels"]
]
UNITS = {value for name, value in vars(units).items() if isinstance(value, str) and not name.startswith("_")}
KNOWN = exposed() | {name: set[str]() for name in RECORDED}


def variants(kind: type[Any]) -> dict[str, Any]:
    return {"enum": [str(member) for member in kind]}


def objects(required: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(required), "properties": required | more}


SOURCE = objects({"type": {"const": "prometheus"}, "uid": {"const": "${datasource}"}})
TEXT = {"type": "string", "minLength": 1}
THRESHOLDS = objects(
    {
        "mode": variants(dashboard.ThresholdsMode),
        "steps": {
            "type": "array",
            "minItems": 1,
            "items": objects({"color": TEXT, "value": {"type": ["number", "null"]}}),
        },
    }
)
CUSTOM = objects(
    {},
    drawStyle=variants(common.GraphDrawStyle),
    showPoints=variants(common.VisibilityMode),
    stacking=objects({"mode": variants(common.StackingMode)}),
    fillOpacity={"type": "number", "maximum": 100},
)
TARGET = objects({"expr": TEXT, "refId": {"pattern": "^[A-Z]$"}, "legendFormat": TEXT})
PANEL = objects(
    {
        "id": {"type": "integer", "minimum": 1},
        "type": {"enum": ["stat", "timeseries", "state-timeline"]},
        "title": {"type": "string", "pattern": "^[A-Z][^.!]{3,45}$"},
        "description": {"type": "string", "pattern": r"^[A-Z].{10,}\.$|`\.$"},
        "datasource": SOURCE,
        "gridPos": objects(
            {
                "x": {"type": "integer", "minimum": 0},
                "y": {"type": "integer", "minimum": 0},
                "w": {"type": "integer", "minimum": 1, "maximum": 24},
                "h": {"type": "integer", "minimum": 1},
            }
        ),
        "fieldConfig": objects(
            {"defaults": objects({}, unit={"enum": sorted(UNITS)}, thresholds=THRESHOLDS, custom=CUSTOM)}
        ),
        "targets": {"type": "array", "minItems": 1, "items": TARGET},
    }
)
VARIABLE = objects({"name": TEXT, "label": TEXT, "type": variants(dashboard.VariableType), "query": TEXT})
BOARD = objects(
    {
        "uid": {"pattern": "^nightshift-[a-z]+$", "maxLength": 40},
        "title": {"pattern": "^Nightshift: [a-z ]+$"},
        "description": TEXT,
        "tags": {"const": ["nightshift"]},
        "schemaVersion": {"type": "integer", "minimum": 36},
        "time": objects({"from": {"pattern": "^now-[0-9]+[hd]$"}, "to": {"const": "now"}}),
        "panels": {"type": "array", "minItems": 1, "maxItems": 14, "items": PANEL},
        "templating": objects({"list": {"type": "array", "items": VARIABLE}}),
        "annotations": objects(
            {"list": {"type": "array", "minItems": 1, "items": objects({"expr": TEXT, "datasource": SOURCE})}}
        ),
    }
)


def test_the_files_are_those_of_their_source() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == set(DASHBOARDS)
    for name, make in DASHBOARDS.items():
        assert (FOLDER / f"{name}.json").read_text() == as_json(make()), "run `make dashboards`"


@pytest.mark.parametrize("name", BOARDS)
def test_a_dashboard_fits_the_schema(name: str) -> None:
    jsonschema.Draft202012Validator(BOARD).validate(BOARDS[name])


@pytest.mark.parametrize("name", BOARDS)
def test_nothing_is_lost_in_the_types_of_grafana(name: str) -> None:
    register_default_plugins()
    again = dashboard.Dashboard.from_json(BOARDS[name])
    assert json.loads(json.dumps(again, cls=JSONEncoder)) == BOARDS[name]


def test_a_property_that_grafana_does_not_know_is_noticed() -> None:
    register_default_plugins()
    changed = BOARDS["night"] | {"panels": [BOARDS["night"]["panels"][0] | {"heading": "Window"}]}
    again = dashboard.Dashboard.from_json(changed)
    assert json.loads(json.dumps(again, cls=JSONEncoder)) != changed


@pytest.mark.parametrize("name", BOARDS)
def test_panels_fill_the_grid_and_do_not_overlap(name: str) -> None:
    panels = BOARDS[name]["panels"]
    assert len({panel["id"] for panel in panels}) == len({panel["title"] for panel in panels}) == len(panels)
    for one, other in combinations([panel["gridPos"] for panel in panels], 2):
        apart = any(
            a[at] + a[size] <= b[at]
            for a, b in ((one, other), (other, one))
            for at, size in (("x", "w"), ("y", "h"))
        )
        assert apart, (one, other)
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in panels)


@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_has_queries_of_its_own_and_colours_for_them(panel: dict[str, Any]) -> None:
    references = [target["refId"] for target in panel["targets"]]
    assert len(set(references)) == len(references)
    assert (panel["type"] == "stat") == all(target.get("instant") for target in panel["targets"])
    legends = {target["legendFormat"] for target in panel["targets"]}
    named = {override["matcher"]["options"] for override in panel["fieldConfig"]["overrides"]}
    assert named <= legends or any("{{" in legend for legend in legends)


def test_variables_are_used_and_used_ones_are_there() -> None:
    for name, board in BOARDS.items():
        there = {variable["name"] for variable in board["templating"]["list"]}
        used = set(re.findall(r"\$\{?([a-z]+)", json.dumps([board["panels"], board["annotations"]])))
        assert there == used, name


@pytest.mark.parametrize("where", expressions())
def test_an_expression_asks_for_what_is_exposed(where: str) -> None:
    assert wrong(expressions()[where], KNOWN) == []


def test_choices_ask_for_labels_that_are_exposed() -> None:
    for board in BOARDS.values():
        for variable in board["templating"]["list"]:
            if variable["type"] == "query":
                metric, label = re.findall(r"^label_values\((\w+), (\w+)\)$", variable["query"])[0]
                assert label in KNOWN[metric]


def test_every_metric_is_on_a_dashboard_or_in_an_alert() -> None:
    asked = set[str]().union(*(names(expression) for expression in expressions().values()))
    unused = {metric.name for metric in METRICS if not any(name.startswith(metric.name) for name in asked)}
    assert unused <= {"nightshift_build_info"}


def test_what_is_not_exposed_is_noticed() -> None:
    known = exposed(
        [Metric("a_total", "counter", "worker", "", ("code",)), Metric("b", "histogram", "worker", "")]
    )
    assert wrong('sum by (code) (rate(a_total{code="x"}[5m])) / on (job) up{job="y"} > 0.5', known) == []
    assert wrong("histogram_quantile(0.5, sum by (le) (rate(b_bucket[5m]))) or vector(0) * Inf", known) == []
    assert wrong("a_totals", known) == ["no metric a_totals"]
    assert wrong("rate(b[5m])", known) == ["no metric b"]
    assert wrong('a_total{kode="x"}', known) == ["a_total has no label kode"]
    assert wrong("sum by (tenant) (a_total)", known) == ["no label tenant to group by"]
    assert selectors('sum(a_total{code=~"x"}) > b_sum or up') == {'a_total{code=~"x"}', "b_sum", "up"}


def test_there_are_few_panels() -> None:
    assert len(queries()) < 70
    assert all(len(board["panels"]) <= 14 for board in BOARDS.values())
