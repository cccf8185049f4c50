"""What the dashboards are made of, so that the same thing looks the same on each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from grafana_foundation_sdk.builders import (
    common,
    dashboard,
    prometheus,
    stat,
    statetimeline,
    timeseries,
)
from grafana_foundation_sdk.models import common as shapes
from grafana_foundation_sdk.models import dashboard as models

GREEN, ORANGE, RED, BLUE, GREY = "green", "orange", "red", "blue", "#808080"

OUTCOMES = {"done": GREEN, "partial": ORANGE, "failed": RED, "accepted": BLUE}
LANES = {"urgent": RED, "normal": BLUE, "backfill": GREY}

SOURCE = models.DataSourceRef(type_val="prometheus", uid="${datasource}")
"""The one that is chosen on the dashboard."""

TENANT = 'tenant=~"$tenant"'
INSTANCE = 'instance=~"$instance"'

Panel = TypeVar("Panel", stat.Panel, statetimeline.Panel, timeseries.Panel)


def board(
    name: str, title: str, about: str, since: str, variables: Sequence[str] = ()
) -> dashboard.Dashboard:
    """An empty dashboard with the choice of a data source, links to the others, and the window shaded."""
    made = (
        dashboard.Dashboard(f"Nightshift: {title}")
        .uid(f"nightshift-{name}")
        .description(about)
        .tags(["nightshift"])
        .timezone("browser")
        .time(since, "now")
        .refresh("1m")
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .link(
            dashboard.DashboardLink("Nightshift")
            .type(models.DashboardLinkType.DASHBOARDS)
            .tags(["nightshift"])
            .keep_time(True)
        )
        .annotation(
            dashboard.AnnotationQuery()
            .name("Window open")
            .datasource(SOURCE)
            .enable(True)
            .icon_color(BLUE)
            .expr("max(nightshift_window_open) == 1")
        )
        .with_variable(dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus"))
    )
    for variable in variables:
        made.with_variable(_choice(variable))
    return made


def _choice(label: str) -> dashboard.QueryVariable:
    """The values of a label, all of them at first."""
    metric = {"tenant": "nightshift_documents_total", "instance": "nightshift_device_held"}[label]
    everything = models.VariableOption(selected=True, text="All", value="$__all")
    return (
        dashboard.QueryVariable(label)
        .label({"tenant": "Tenant", "instance": "Worker"}[label])
        .datasource(SOURCE)
        .query(f"label_values({metric}, {label})")
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(models.VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        .all_value(".*")
        .current(everything)
    )


def number(
    title: str,
    about: str,
    expression: str,
    *,
    unit: str = "short",
    steps: Mapping[float, str] | None = None,
    texts: Mapping[str, tuple[str, str]] | None = None,
    none: str = "unknown",
) -> stat.Panel:
    """The latest value, large. `steps`: from which value on it has which colour; `texts`: value -> word and colour."""
    panel = (
        stat.Panel()
        .unit(unit)
        .no_value(none)
        .span(4)
        .height(4)
        .graph_mode(shapes.BigValueGraphMode.NONE)
        .color_mode(shapes.BigValueColorMode.VALUE)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .thresholds(_thresholds(steps or {}))
    )
    if texts:
        panel.mappings([_words(texts)])
    return _named(panel, title, about).with_target(query(expression, instant=True))


def graph(
    title: str,
    about: str,
    queries: Mapping[str, str],
    *,
    unit: str = "short",
    colours: Mapping[str, str] | None = None,
    every: str = "",
    limit: float | None = None,
) -> timeseries.Panel:
    """Courses over time. `queries`: legend -> expression; `limit`: a line in red, above which something is wrong.

    `every`: counts within such a time, as stacked bars, one for each.
    """
    panel = (
        timeseries.Panel()
        .unit(unit)
        .min(0)
        .span(12)
        .height(8)
        .line_width(1)
        .fill_opacity(60 if every else 10)
        .show_points(shapes.VisibilityMode.NEVER)
        .legend(
            common.VizLegendOptions()
            .show_legend(True)
            .placement(shapes.LegendPlacement.BOTTOM)
            .display_mode(shapes.LegendDisplayMode.LIST)
        )
        .tooltip(common.VizTooltipOptions().mode(shapes.TooltipDisplayMode.MULTI))
    )
    if every:
        panel.interval(every)
        panel.draw_style(shapes.GraphDrawStyle.BARS)
        panel.stacking(common.StackingConfig().mode(shapes.StackingMode.NORMAL).group("A"))
    if limit is not None:
        panel.thresholds(_thresholds({limit: RED}))
        panel.thresholds_style(common.GraphThresholdsStyleConfig().mode(shapes.GraphTresholdsStyleMode.LINE))
    for name, colour in (colours or {}).items():
        fixed = models.DynamicConfigValue("color", {"mode": "fixed", "fixedColor": colour})
        panel.override_by_name(name, [fixed])
    return _asking(_named(panel, title, about), queries)


def states(
    title: str, about: str, queries: Mapping[str, str], texts: Mapping[str, tuple[str, str]]
) -> statetimeline.Panel:
    """Bars of states over time. `texts`: value -> word and colour."""
    panel = (
        statetimeline.Panel()
        .span(12)
        .height(8)
        .merge_values(True)
        .line_width(0)
        .fill_opacity(70)
        .show_value(shapes.VisibilityMode.NEVER)
        .mappings([_words(texts)])
        .legend(
            common.VizLegendOptions()
            .show_legend(True)
            .placement(shapes.LegendPlacement.BOTTOM)
            .display_mode(shapes.LegendDisplayMode.LIST)
        )
    )
    return _asking(_named(panel, title, about), queries)


def query(expression: str, legend: str = "", *, instant: bool = False) -> prometheus.Dataquery:
    """A query of one panel."""
    made = prometheus.Dataquery().expr(expression).legend_format(legend or "__auto").ref_id("A")
    return made.instant() if instant else made.range()


def _named(panel: Panel, title: str, about: str) -> Panel:
    return panel.title(title).description(about).datasource(SOURCE)


def _asking(panel: Panel, queries: Mapping[str, str]) -> Panel:
    for letter, (legend, expression) in zip("ABCDEFG", queries.items(), strict=False):
        panel.with_target(query(expression, legend).ref_id(letter))
    return panel


def _thresholds(steps: Mapping[float, str]) -> dashboard.ThresholdsConfig:
    """The first colour is for all below the first step: green where a step says what is wrong."""
    lowest = models.Threshold(value=None, color=GREEN if steps else "text")
    return (
        dashboard.ThresholdsConfig()
        .mode(models.ThresholdsMode.ABSOLUTE)
        .steps([lowest, *(models.Threshold(value=value, color=colour) for value, colour in steps.items())])
    )


def _words(texts: Mapping[str, tuple[str, str]]) -> models.ValueMap:
    return models.ValueMap(
        options={
            value: models.ValueMappingResult(text=word, color=colour, index=index)
            for index, (value, (word, colour)) in enumerate(texts.items())
        }
    )
