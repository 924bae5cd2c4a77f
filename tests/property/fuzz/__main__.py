"""`make fuzz`: atheris searches for bytes that a decoder neither reads nor refuses.

    python -m tests.property.fuzz build/fuzz 60               every decoder for a minute
    python -m tests.property.fuzz build/fuzz 60 "JSON body"   one of them

What was found to lead somewhere is kept in a folder per decoder, and so is what broke it. Coverage is that of the Python code; compiled
modules are called, but not looked into.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["kcore.apiserver", "kcore.machinery", "kcore.client"]):
    from tests.property.fuzz.decoders import decoders


def search(folder: Path, seconds: str, name: str) -> None:
    """Fuzz one decoder; ends the process, with an error if something was found."""
    decoder, corpus = decoders()[name], folder / name.replace(" ", "-")
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(decoder.seeds):
        (corpus / f"seed-{number}").write_bytes(seed)
    options = [f"-max_total_time={seconds}", "-timeout=10", "-rss_limit_mb=2048", "-verbosity=0", f"-artifact_prefix={corpus}/broke-"]
    atheris.Setup([sys.argv[0], str(corpus), *options], decoder.survives)
    atheris.Fuzz()


def main() -> None:
    folder, seconds, *names = sys.argv[1:]
    if len(names) == 1:
        search(Path(folder), seconds, names[0])
    command = [sys.executable, "-m", "tests.property.fuzz", folder, seconds]
    broken = [name for name in decoders() if subprocess.run([*command, name]).returncode]
    sys.exit(f"broken: {', '.join(broken)}" if broken else 0)


if __name__ == "__main__":
    main()
