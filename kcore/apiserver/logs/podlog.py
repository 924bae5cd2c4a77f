"""What the containers of hollow pods print, and whoever reads it.

A container prints that it started, that its probes succeed, and how it exited, at the moments that its status tells or implies; or, as soon
as it runs, the lines of the pod's annotation `kcore.io/log`. All of it goes to standard output.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from kcore.apiserver.logs.options import LogOptions
from kcore.machinery import status, timestamp

Object = dict[str, Any]
LOG: Final = "kcore.io/log"
"""Annotation of a pod: what its containers print, in place of the story of their lives."""

PULLS: Final = {"ErrImagePull": "image can't be pulled", "ImagePullBackOff": "trying and failing to pull image"}


class Run(NamedTuple):
    """One life of a container, from its status. `finished_s` is None while it runs."""

    started_s: float
    finished_s: float | None
    reason: str
    exit_code: int


class Line(NamedTuple):
    """A line, and when it is printed."""

    at_s: float
    text: str


class Piece(NamedTuple):
    """What a reader gets.

    wake_s   when the next line comes although the pod does not change; None if none does
    is_over  nothing comes any more
    """

    data: bytes
    wake_s: float | None
    is_over: bool


def run_of(pod: Object, container: str, previous: bool) -> Run:
    """The life of a container whose log is meant. Raises StatusError (400) if there is none."""
    found = status_of(pod, container)
    where = f'container "{container}" in pod "{pod["metadata"]["name"]}"'
    if found is None:
        raise status.bad_request(f"{where} is not available")
    state, last = found.get("state") or {}, (found.get("lastState") or {}).get("terminated")
    if previous:
        if not last:
            raise status.bad_request(f'previous terminated container "{container}" in pod "{pod["metadata"]["name"]}" not found')
        return finished(last)
    if running := state.get("running"):
        return Run(seconds(running.get("startedAt")), None, "", 0)
    if ended := state.get("terminated") or last:
        return finished(ended)
    if "waiting" not in state:
        raise status.bad_request(f"{where} is waiting to start - no logs yet")
    reason = (state["waiting"] or {}).get("reason", "")
    raise status.bad_request(f"{where} is waiting to start: {PULLS.get(reason, reason)}")


def status_of(pod: Object, container: str) -> Object | None:
    """The status of a container of any sort."""
    state = pod.get("status") or {}
    for field in ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"):
        for found in state.get(field) or ():
            if found.get("name") == container:
                return dict(found)
    return None


def finished(ended: Object) -> Run:
    """A life that ended."""
    return Run(seconds(ended.get("startedAt")), seconds(ended.get("finishedAt")), ended.get("reason", ""), ended.get("exitCode", 0))


def seconds(text: str | None) -> float:
    """A moment of a status; the beginning of time if it is not told."""
    return timestamp.parse_time(text) if text else 0.0


def lines_of(pod: Object, container: str, run: Run) -> list[Line]:
    """All that a container prints in a life, also what is still to come."""
    end = run.finished_s
    return [line for line in told(pod, container, run) if end is None or line.at_s <= end]


def told(pod: Object, container: str, run: Run) -> Iterator[Line]:
    """What a container would print if it lived forever, and how it ended."""
    written = (pod["metadata"].get("annotations") or {}).get(LOG)
    if written is not None:
        yield from (Line(run.started_s, text) for text in written.splitlines())
        return
    spec = spec_of(pod, container)
    yield Line(run.started_s, f"{container}: started, image {spec.get('image', '')}")
    at = run.started_s
    for field, sort in (("startupProbe", "startup"), ("readinessProbe", "readiness")):
        if probe := spec.get(field):
            at += probe.get("initialDelaySeconds") or 0
            yield Line(at, f"{container}: {sort} probe succeeded")
    if run.finished_s is not None:
        yield Line(run.finished_s, f"{container}: exited with code {run.exit_code}" + (f" ({run.reason})" if run.reason else ""))


def spec_of(pod: Object, container: str) -> Object:
    """What a pod says of a container."""
    spec = pod.get("spec") or {}
    for field in ("containers", "initContainers", "ephemeralContainers"):
        for found in spec.get(field) or ():
            if found["name"] == container:
                return dict(found)
    return {}


@dataclass(slots=True)
class Follower:
    """Somebody who reads the log of one life of a container.

    read_count  lines that were looked at; None before the first
    left_bytes  how much may still be given; None for no end
    """

    container: str
    options: LogOptions
    run: Run | None = None
    read_count: int | None = None
    left_bytes: int | None = None

    @property
    def follows(self) -> bool:
        return self.options.follow

    def feed(self, pod: Object | None, now: float) -> Piece:
        """What is to be read that was not yet, as the pod is now (None: it is gone).

        Raises  StatusError (400) at the first time if the container has no log
        """
        if pod is None:
            return Piece(b"", None, True)
        if self.read_count is None:
            self.run = run_of(pod, self.container, self.options.previous)
            self.left_bytes = self.options.limit_bytes
        else:
            self.run = self.same_run(pod)
        if self.run is None:
            return Piece(b"", None, True)
        lines = lines_of(pod, self.container, self.run)
        known = [line for line in lines if line.at_s <= now]
        data = self.cut(b"".join(self.shown(known, now)))
        self.read_count = len(known)
        is_over = not self.follows or self.run.finished_s is not None or self.left_bytes == 0
        wake_s = None if is_over or len(known) == len(lines) else lines[len(known)].at_s
        return Piece(data, wake_s, is_over)

    def same_run(self, pod: Object) -> Run | None:
        """The life that is read, as far as it is known now; None if the pod tells nothing of it any more."""
        assert self.run is not None
        found = status_of(pod, self.container) or {}
        states = [(found.get("state") or {}), (found.get("lastState") or {})]
        for ended in filter(None, (state.get("terminated") for state in states)):
            if seconds(ended.get("startedAt")) == self.run.started_s:
                return finished(ended)
        running = states[0].get("running")
        return self.run if running and seconds(running.get("startedAt")) == self.run.started_s else None

    def shown(self, known: list[Line], now: float) -> Iterator[bytes]:
        """The lines that are new and wanted."""
        start, options = self.read_count, self.options
        if start is None:
            start = 0 if options.tail_lines is None else max(0, len(known) - options.tail_lines)
        since = options.since_s if options.since_seconds is None else now - options.since_seconds
        for line in known[start:] if options.stream != "Stderr" else ():
            if self.read_count is not None or since is None or line.at_s >= since:
                stamp = f"{timestamp.format_time(line.at_s).removesuffix('Z')}.000000000Z " if options.timestamps else ""
                yield f"{stamp}{line.text}\n".encode()

    def cut(self, data: bytes) -> bytes:
        """As much as may still be given."""
        if self.left_bytes is None:
            return data
        data = data[: self.left_bytes]
        self.left_bytes -= len(data)
        return data
