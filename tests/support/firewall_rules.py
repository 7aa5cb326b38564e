"""The firewall of a host as role base writes it, without a host: Jinja, the role's defaults, and what is given.

Only what this template uses of Ansible is here.
"""

from __future__ import annotations

import re
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import SandboxedEnvironment

from support.paths import ROOT
from support.yaml_text import read_yaml

ROLE = ROOT / "roles" / "base"
OTHERS = "# Roles that pass traffic on"


def ruleset(**given: Any) -> str:
    """The file firewall.nft for these variables."""
    loader = FileSystemLoader(ROLE / "templates")
    environment = SandboxedEnvironment(
        loader=loader, trim_blocks=True, keep_trailing_newline=True, undefined=StrictUndefined
    )
    environment.tests |= {
        "match": lambda text, pattern: re.match(pattern, text) is not None,
        "search": lambda text, pattern: re.search(pattern, text) is not None,
    }
    known = read_yaml((ROLE / "defaults" / "main.yml").read_text(encoding="utf-8")) | {"ansible_managed": "test"}
    return environment.get_template("firewall.nft.j2").render(known | given)


def own_table(**given: Any) -> str:
    """The same without what other roles add."""
    return ruleset(**given).partition(OTHERS)[0]
