"""What a process exposes to Prometheus, asked as Prometheus does."""

import urllib.error
import urllib.request

from prometheus_client.parser import text_string_to_metric_families

Values = dict[tuple[str, ...], float]
"""By name and label values, in the order of the labels' names."""


def get(port: int, path: str = "/metrics", host: str = "", method: str = "GET") -> tuple[int, str]:
    """Status and body; `host`: the Host header."""
    url = f"http://127.0.0.1:{port}{path}"
    request = urllib.request.Request(url, headers={"Host": host} if host else {}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def parse(text: str) -> Values:
    """The values of a scrape."""
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def scrape(port: int) -> Values:
    """The values now; fails unless the process answers."""
    status, text = get(port)
    assert status == 200, (status, text)
    return parse(text)
