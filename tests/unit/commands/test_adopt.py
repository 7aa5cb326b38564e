"""`vaern adopt` takes over what is in the declared subscription, and nothing of a lab."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from vaern.console.command_line import cli
from vaern.errors import UsageError

ROOT = Path(__file__).resolve().parents[3]
STRANGE = "/subscriptions/00000000-0000-4000-8000-00000000ffff/resourceGroups/x"


def adopt(project: Path) -> None:
    cli.main(["--project", str(project), "adopt", "--resource", "vault", "--id", STRANGE], standalone_mode=False)


def test_the_lab_mends_itself() -> None:
    with pytest.raises(UsageError, match="only resources on Azure can be adopted"):
        adopt(ROOT)


def test_another_subscription_is_refused(tmp_path: Path) -> None:
    (tmp_path / "inventories" / "shared").mkdir(parents=True)
    (tmp_path / "roles").mkdir()
    (tmp_path / "pyproject.toml").touch()
    shutil.copy(ROOT / "docs/examples/azure/collector.yml", tmp_path / "inventories/shared")
    with pytest.raises(UsageError, match="not in the declared subscription") as raised:
        adopt(tmp_path)
    assert raised.value.fix.endswith("/subscriptions/00000000-0000-4000-8000-000000000001/")
