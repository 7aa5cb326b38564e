"""YAML as Ansible reads it, by libyaml: the same values, in a fifth of the time of Python's own parser."""

from __future__ import annotations

from typing import Any

import yaml


def read_yaml(text: str | bytes) -> Any:
    """The only document of a text."""
    return yaml.load(text, Loader=yaml.CSafeLoader)
