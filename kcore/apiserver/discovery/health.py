"""`/healthz`, `/livez` and `/readyz`: what named checks find, in the words that clients read. Pure.

Source: CONTRACT A5; apiserver `pkg/server/healthz`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from kcore.apiserver.discovery.document import Document, text

ENDPOINTS: Final = ("healthz", "livez", "readyz")


class Check(NamedTuple):
    """A named question about the server's health; `ask` says what is wrong, nothing if all is well."""

    name: str
    ask: Callable[[], str | None]


PING: Final = Check("ping", lambda: None)


def answer(path: str, query: Mapping[str, Sequence[str]], checks: Sequence[Check]) -> Document | None:
    """Answer a request to a health endpoint, whatever its method; None if there is no such check.

    path    `/livez` or `/livez/NAME`
    checks  all of this endpoint, in order; `ping` is put before them
    """
    endpoint, _, name = path.strip("/").partition("/")
    asked = (PING, *checks)
    if not name:
        return _all(endpoint, query, asked)
    found = next((check for check in asked if check.name == name), None)
    return None if found is None else _one(found)


def _one(check: Check) -> Document:
    trouble = check.ask()
    return text("ok") if trouble is None else text(f"internal server error: {trouble}\n", 500)


def _all(endpoint: str, query: Mapping[str, Sequence[str]], checks: Sequence[Check]) -> Document:
    """Ask all checks but those that are to be left out; what is wrong is told to nobody, since anybody may ask."""
    unknown = dict.fromkeys(query.get("exclude", ()))
    lines, failed = [], False
    for check in checks:
        if check.name in unknown:
            del unknown[check.name]
            lines.append(f"[+]{check.name} excluded: ok")
        elif check.ask() is None:
            lines.append(f"[+]{check.name} ok")
        else:
            lines.append(f"[-]{check.name} failed: reason withheld")
            failed = True
    if unknown:
        quoted = ", ".join(f'"{name}"' for name in unknown)
        lines.append(f"warn: some health checks cannot be excluded: no matches for {quoted}")
    lines.append(f"{endpoint} check {'failed' if failed else 'passed'}")
    if failed:
        return text("\n".join(lines) + "\n", 500)
    return text("\n".join(lines) + "\n" if "verbose" in query else "ok")
