"""A Prometheus with our configuration and other targets, and whether it can answer all that we ask it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

import yaml

from tests.conftest import ROOT
from tests.support.dashboards import RULES, expressions, queries
from tests.support.promql import names, selectors
from tests.support.servers import wait_for
from tests.support.servers.prometheus import Prometheus

CONFIGURATION = ROOT / "docker" / "prometheus" / "prometheus.yml"


def configured(folder: Path, ports: Mapping[str, int]) -> None:
    """Write prometheus.yml: ours, with targets on this host by job, each second."""
    ours = yaml.safe_load(CONFIGURATION.read_text())
    ours["global"] = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
    ours["rule_files"] = [str(CONFIGURATION.parent / name) for name in ours["rule_files"]]
    jobs = [job for job in ours["scrape_configs"] if job["job_name"] in ports]
    assert len(jobs) == len(ports)
    for job in jobs:
        job.pop("dns_sd_configs", None)
        job["static_configs"] = [{"targets": [f"127.0.0.1:{ports[job['job_name']]}"]}]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(ours | {"scrape_configs": jobs}))


def check_all(server: Prometheus, *, may_lack: Collection[str] = ()) -> None:
    """Every query of a dashboard finds something, every rule can be evaluated, and what it asks for is there.

    `may_lack`: series that may be missing, and whatever is made from them.
    """
    wait_for(lambda: _evaluated(server), "the rules to be evaluated")
    for where, expression in expressions().items():
        found = server.query(expression)  # raises for an invalid one
        if where in queries() and not names(expression) & set(may_lack):
            assert found, f"{where}: nothing for {expression}"
        for selector in selectors(expression):
            if selector.partition("{")[0] not in may_lack:
                assert server.query(f"count_over_time({selector}[1h])"), f"{where}: nothing for {selector}"


def _evaluated(server: Prometheus) -> bool:
    """Whether Prometheus has evaluated each rule, without a fault."""
    rules = [rule for group in server.ask("rules")["groups"] for rule in group["rules"]]
    assert [rule["lastError"] for rule in rules if rule.get("lastError")] == []
    assert len(rules) == len(RULES)
    return all(rule["health"] == "ok" for rule in rules)
