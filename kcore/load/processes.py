"""What the processes of a control plane cost: memory and processor time, as the kernel counts them. Linux only.

Source: proc(5); Pss shares a page among the processes that map it, so that sums over processes are true.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from kcore.base import service
from kcore.base.config import DataDir, read_json

PROC: Final = Path("/proc")
UTIME, STIME = 11, 12
"""Places in /proc/PID/stat, counted from the state that follows the command's name."""


def pids(directory: DataDir) -> dict[str, int]:
    """The processes of a data directory by part, the supervisor among them."""
    return {part: holder.pid for part, holder in service.running(directory).items()}


def read_pss_bytes(smaps_rollup: str) -> int:
    """Pss out of the text of smaps_rollup."""
    for line in smaps_rollup.splitlines():
        name, _, rest = line.partition(":")
        if name == "Pss":
            return int(rest.split()[0]) << 10
    raise ValueError("smaps_rollup has no line Pss")


def read_cpu_ticks(stat: str) -> int:
    """User and system time out of the text of stat; the command's name may hold anything but stands in the last parentheses."""
    fields = stat.rpartition(")")[2].split()
    return int(fields[UTIME]) + int(fields[STIME])


def pss_bytes(directory: DataDir) -> dict[str, int]:
    """Proportional memory of each process."""
    return {part: read_pss_bytes((PROC / str(pid) / "smaps_rollup").read_text()) for part, pid in pids(directory).items()}


def cpu_s(directory: DataDir) -> dict[str, float]:
    """Processor seconds that each process has used so far."""
    tick = os.sysconf("SC_CLK_TCK")
    return {part: read_cpu_ticks((PROC / str(pid) / "stat").read_text()) / tick for part, pid in pids(directory).items()}


def restarts(directory: DataDir) -> dict[str, int]:
    """How often the supervisor had to start each part again."""
    parts = (read_json(directory.part_state("supervisor")) or {}).get("parts", {})
    return {part: state["restarts"] for part, state in parts.items() if state["restarts"]}


def spent_s(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    """What was used between two looks; of a process that was started again in between, what the new one used."""
    return {part: round(used - before[part] if used >= before[part] else used, 3) for part, used in after.items() if part in before}
