"""Reading the metrics of the parts of a control plane on this machine."""

from __future__ import annotations

import http.client

from prometheus_client.parser import text_string_to_metric_families

from kcore.base import limits
from kcore.base.config import DataDir, read_json

EVENTS_DROPPED = "kcore_recorder_events_dropped"


def metrics_of(address: str, token: str) -> str:
    """The metrics text of one part; '' if it does not answer."""
    connection = http.client.HTTPConnection(address, timeout=limits.DIAGNOSTICS_TIMEOUT_S)
    try:
        connection.request("GET", "/metrics", headers={"Authorization": f"Bearer {token}"})
        return connection.getresponse().read().decode()
    except (OSError, http.client.HTTPException):
        return ""
    finally:
        connection.close()


def total(directory: DataDir, name: str) -> int:
    """The sum of a counter over all labels of all parts."""
    found, token = 0.0, directory.token("admin").read_text()
    for state in directory.run.glob("*.json"):
        address = (read_json(state) or {}).get("address")
        if not address:
            continue
        for family in text_string_to_metric_families(metrics_of(address, token)):
            if family.name == name:
                found += sum(sample.value for sample in family.samples if sample.name == f"{name}_total")
    return int(found)


def events_dropped(directory: DataDir) -> int:
    """Events that the parts' recorders did not write."""
    return total(directory, EVENTS_DROPPED)
