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


def make_folder(path: Path, mode: int, durably: bool) -> None:
    """Make a folder, and those above it that are missing; durably: put their names on disk, also of one that is there and may be new."""
    made = [folder for folder in (path, *path.parents) if not folder.exists()] or [path]
    path.mkdir(mode=mode, parents=True, exist_ok=True)
    if durably:
        for folder in made:
            sync_folder(folder.parent)
