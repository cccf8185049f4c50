"""Each alert fires for its reason and for no other, and is silent when that reason nearly holds: by promtool."""

import re
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT
from tests.support.dashboards import ALERTS, RULES
from tests.support.metric_nights import MINUTES, good_night, promtool_test
from tests.support.servers.prometheus import promtool
from tests.unit.monitoring.cases import Case
from tests.unit.monitoring.quiet_nights import NEAR, ODD
from tests.unit.monitoring.troubled_nights import TROUBLED
from tests.unit.test_docs import anchors

FOLDER = ROOT / "docker" / "prometheus"


def promtool_file(one: Case, folder: Path) -> Path:
    """The case as a test for promtool: by the end of the night nothing but `fires` has ever fired."""
    ever = f'group by (alertname) (count_over_time(ALERTS{{alertstate="firing"}}[{MINUTES}m]))'
    expected = [{"labels": f'{{alertname="{one.fires}"}}', "value": 1}] if one.fires else []
    test = promtool_test(one.night) | {
        "promql_expr_test": [{"expr": ever, "eval_time": f"{MINUTES}m", "exp_samples": expected}]
    }
    if one.at:
        rule = ALERTS[one.fires]
        texts = {name: rendered(text, one.texts) for name, text in rule["annotations"].items()}
        expected_alert = {"exp_labels": rule["labels"] | one.labels, "exp_annotations": texts}
        test["alert_rule_test"] = [
            {"eval_time": f"{one.at}m", "alertname": one.fires, "exp_alerts": [expected_alert]}
        ]
    path = folder / "case.yml"
    rules = [str(FOLDER / "rules.yml")]
    path.write_text(yaml.safe_dump({"rule_files": rules, "evaluation_interval": "2m", "tests": [test]}))
    return path


def rendered(template: str, texts: dict[str, str]) -> str:
    """A template with the text of each expression, each of which must be known."""
    return re.sub(r"{{ (.+?) }}", lambda match: texts[match[1]], template)


@pytest.mark.parametrize("one", TROUBLED, ids=lambda one: one.name)
def test_what_fires(one: Case, tmp_path: Path) -> None:
    promtool("test", "rules", promtool_file(one, tmp_path))


@pytest.mark.long
@pytest.mark.parametrize("one", [*ODD, *NEAR], ids=lambda one: one.name)
def test_what_nearly_fires(one: Case, tmp_path: Path) -> None:
    promtool("test", "rules", promtool_file(one, tmp_path))


def test_each_alert_has_a_case_with_its_texts_and_a_near_miss() -> None:
    assert {one.fires for one in TROUBLED if one.at} == set(ALERTS)
    assert {one.nearly for one in [*ODD, *NEAR] if one.nearly} == set(ALERTS)


def test_a_case_that_does_not_hold_is_noticed(tmp_path: Path) -> None:
    wrong = Case(name="wrong", night=good_night(), fires="NightshiftNoWorker")
    with pytest.raises(AssertionError, match="FAILED"):
        promtool("test", "rules", promtool_file(wrong, tmp_path))


def test_the_rules_and_the_configuration_are_valid() -> None:
    assert "SUCCESS" in promtool("check", "rules", FOLDER / "rules.yml")
    assert "SUCCESS" in promtool("check", "config", FOLDER / "prometheus.yml")


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_says_what_to_do(alert: str) -> None:
    rule = ALERTS[alert]
    assert rule["labels"]["severity"] in ("critical", "warning", "info")
    assert "for" in rule, "a short trouble is none"
    assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}
    page, _, anchor = rule["annotations"]["runbook_url"].partition("#")
    assert page == "docs/how-to/runbook.md"
    assert anchor in anchors(ROOT / page)
    assert f"`{alert}`" in (ROOT / page).read_text()


def test_no_rule_looks_at_the_clock() -> None:
    for rule in RULES:
        assert not re.search(r"\b(hour|minute|day_of_\w+|days_in_month)\s*\(", rule["expr"]), rule


def test_the_documentation_lists_the_alerts_as_they_are() -> None:
    text = (ROOT / "docs" / "how-to" / "alerts.md").read_text()
    found = re.findall(r"^\| `(Nightshift\w+)` \| (\w+) \| .+ \| (\w+) \|", text, flags=re.MULTILINE)
    assert found == [(name, rule["labels"]["severity"], rule["for"]) for name, rule in ALERTS.items()]
