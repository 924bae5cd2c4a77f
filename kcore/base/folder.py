"""Folders that are still there after a loss of power: a new name is on disk once the folder that it is in was synced."""

import os
from pathlib import Path


def sync_folder(path: Path) -> None:
    """Put the names in a folder on disk."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def make_durably(path: Path, mode: int) -> None:
    """Make a folder, and those above it that are missing, and put their names on disk; one that is there may be new as well."""
    made = [folder for folder in (path, *path.parents) if not folder.exists()] or [path]
    path.mkdir(mode=mode, parents=True, exist_ok=True)
    for folder in made:
        sync_folder(folder.parent)
