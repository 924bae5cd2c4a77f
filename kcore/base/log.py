"""What happened, one line per event, for people and for tools.

    log = get("scheduler")
    log.info("pod bound", pod="default/a", node="n1")
    2026-11-24T23:59:01.123Z info scheduler pod bound pod=default/a node=n1

An event is a short, constant phrase in lower case; what varies goes into fields. Messages of libraries (grpc, asyncio) come out in
the same form. Built on ``logging``, configured once per process; before that, and in tests, records go where pytest or the
embedding program collects them.

Thread: any. Cost: a disabled level costs one comparison.
"""

import json
import logging
import logging.handlers
import sys
import time
from pathlib import Path
from typing import Any

from kcore.base import limits, metrics

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
"""The levels by the names that lines and flags use."""

_NAMES = {number: name for name, number in LEVELS.items()}
_ROOT = "kcore"
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:@+,;%*#~()[]<>")


class Log:
    """The events of one part, or of one noun of it (``scheduler.queue``)."""

    __slots__ = ("_logger",)

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger

    def debug(self, event: str, /, **fields: object) -> None:
        """Tell what only a developer of kcore wants to know."""
        if self._logger.isEnabledFor(logging.DEBUG):
            self._logger.debug(event, extra={"fields": fields})

    def info(self, event: str, /, **fields: object) -> None:
        """Tell what an operator may want to know."""
        if self._logger.isEnabledFor(logging.INFO):
            self._logger.info(event, extra={"fields": fields})

    def warning(self, event: str, /, **fields: object) -> None:
        """Tell what should not happen often."""
        if self._logger.isEnabledFor(logging.WARNING):
            self._logger.warning(event, extra={"fields": fields})

    def error(self, event: str, /, error: BaseException | None = None, **fields: object) -> None:
        """Tell what somebody has to look at; an exception comes with its traceback, in the same line."""
        if self._logger.isEnabledFor(logging.ERROR):
            info = (type(error), error, error.__traceback__) if error is not None else None
            self._logger.error(event, exc_info=info, extra={"fields": fields})


def get(name: str) -> Log:
    """Return the log of a part or of a noun of it."""
    return Log(logging.getLogger(f"{_ROOT}.{name}"))


def configure(file: Path | None, level: str = "info", as_json: bool = False) -> None:
    """Send this process's events to a file that is turned over when full, or to standard error; replaces what was configured."""
    handler: logging.Handler
    if file is None:
        handler = logging.StreamHandler(sys.stderr)
    else:
        file.parent.mkdir(parents=True, exist_ok=True)
        handler = logging.handlers.RotatingFileHandler(
            file, maxBytes=limits.LOG_FILE_BYTES_MAX, backupCount=1, encoding="utf-8", errors="backslashreplace"
        )
    handler.setFormatter(_JsonLines() if as_json else _Lines())
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
        old.close()
    root.addHandler(handler)
    root.setLevel(max(LEVELS[level], logging.WARNING))
    logging.getLogger(_ROOT).setLevel(LEVELS[level])


class _Lines(logging.Formatter):
    """Time, level, part, event, then key=value."""

    def format(self, record: logging.LogRecord) -> str:
        metrics.LOG_LINES.inc(_level(record))
        words = [_time(record.created), _level(record), _part(record), _one_line(record.getMessage())]
        words += [f"{key}={_text(value)}" for key, value in _fields(record).items()]
        return " ".join(words)


class _JsonLines(logging.Formatter):
    """The same as one JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        metrics.LOG_LINES.inc(_level(record))
        head = {"time": _time(record.created), "level": _level(record), "part": _part(record), "event": record.getMessage()}
        fields = {key: value if isinstance(value, int | float) else _cut(str(value)) for key, value in _fields(record).items()}
        return json.dumps(head | fields)


def _time(seconds: float) -> str:
    whole, milli = divmod(int(seconds * 1000), 1000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(whole))}.{milli:03d}Z"


def _level(record: logging.LogRecord) -> str:
    return _NAMES.get(record.levelno, record.levelname.lower())


def _part(record: logging.LogRecord) -> str:
    return record.name.removeprefix(f"{_ROOT}.")


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    fields: dict[str, Any] = dict(getattr(record, "fields", {}))
    if record.exc_info and record.exc_info[1] is not None:
        error = record.exc_info[1]
        fields["error"] = f"{type(error).__name__}: {error}"
        fields["trace"] = logging.Formatter().formatException(record.exc_info)
    return fields


def _text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    text = _cut(str(value))
    return text if text and _PLAIN.issuperset(text) else json.dumps(text, ensure_ascii=False)


def _cut(text: str) -> str:
    return text if len(text) <= limits.LOG_VALUE_CHARS_MAX else text[: limits.LOG_VALUE_CHARS_MAX] + "..."


def _one_line(text: str) -> str:
    return _cut(text).replace("\\", "\\\\").replace("\n", "\\n") if "\n" in text else _cut(text)
