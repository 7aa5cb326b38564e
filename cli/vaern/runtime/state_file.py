"""Reads the files that vaern keeps in its state directory: whole, or an error that names the file and what to do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from vaern.errors import StateError


def read_object(path: Path, *, fix: str, needs: tuple[str, ...] = ()) -> dict[str, Any]:
    """The JSON object in a file, which has the keys `needs`.

    Raises StateError with `fix` for a file that is empty, cut off or anything else, FileNotFoundError without one.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise
    except (OSError, ValueError, RecursionError) as error:
        raise damaged(path, _why(error), fix=fix) from error
    if not isinstance(found, dict):
        raise damaged(path, "it holds no JSON object", fix=fix)
    if missing := [key for key in needs if key not in found]:
        raise damaged(path, f"it is without {', '.join(missing)}", fix=fix)
    return found


def damaged(path: Path, why: str, *, fix: str) -> StateError:
    """What is said of a file of the state that cannot be what vaern wrote."""
    return StateError(f"{path} is damaged: {why}", fix=fix)


def _why(error: BaseException) -> str:
    if isinstance(error, OSError):
        return str(error.strerror)
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
