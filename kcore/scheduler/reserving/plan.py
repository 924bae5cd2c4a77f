"""What has to be reserved for a pod that was given a node."""
from __future__ import annotations

from kcore.scheduler.columns import Columns
from kcore.scheduler.dra.asks import DeviceNeeds
from kcore.scheduler.dra.reservation import reserve_devices
from kcore.scheduler.reserving.part import Part
from kcore.scheduler.rows import PodRow
from kcore.scheduler.volumes.asks import Needs
from kcore.scheduler.volumes.reservation import ReservedVolumes, reserve


def reserve_all(pod: PodRow, needs: Needs | None, device_needs: DeviceNeeds | None, node_name: str, columns: Columns) -> list[Part]:
    """Reserve and assume volumes and devices; needs are those with which the node was decided."""
    parts: list[Part] = []
    if pod.ask.volumes is not None and needs is not None and needs.wanted:
        parts.append(ReservedVolumes(reserve(pod.ask.volumes, needs, node_name, columns), columns.catalog))
    if pod.ask.claims or device_needs is not None:
        devices = reserve_devices(pod, node_name, device_needs, columns)
        if devices is not None:
            parts.append(devices)
    return parts
