"""Azurite, Microsoft's emulator of blob storage, and the few calls a test makes to see what is in a container.

Calls are signed with the account's key as "Authorize with Shared Key" of Azure Storage says.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import re
import shutil
import subprocess
import time
import urllib.request
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

ACCOUNT = "vaernstate"
KEY = base64.b64encode(b"a key for tests, 32 bytes long.....").decode()
VERSION = "2021-12-02"
DEADLINE_SECONDS = 120.0
OLDEST_NODE = 18
"""The same as in stacks/setup/steps/azurite.sh."""
SET_UP = "run `stacks/setup/setup --also azurite`"


@dataclass(frozen=True)
class Storage:
    """One account of the emulator, on loopback."""

    port: int

    @property
    def environment(self) -> dict[str, str]:
        """What the engine's azblob backend reads, here of an emulator: without the last three it is Azure's own."""
        return {
            "AZURE_STORAGE_ACCOUNT": ACCOUNT,
            "AZURE_STORAGE_KEY": KEY,
            "AZURE_STORAGE_DOMAIN": f"127.0.0.1:{self.port}",
            "AZURE_STORAGE_PROTOCOL": "http",
            "AZURE_STORAGE_IS_LOCAL_EMULATOR": "true",
        }

    def make(self, container: str) -> None:
        """Make a container."""
        self._call("PUT", f"/{container}?restype=container")

    def remove(self, container: str) -> None:
        """Remove a container with all in it."""
        self._call("DELETE", f"/{container}?restype=container")

    def blobs(self, container: str) -> dict[str, str]:
        """Every blob of it, as text."""
        listed = ET.fromstring(self._call("GET", f"/{container}?comp=list&restype=container"))  # noqa: S314 (our own)
        names = [str(one.text) for one in listed.iter("Name")]
        return {name: self._call("GET", f"/{container}/{quote(name)}").decode() for name in names}

    def state(self, container: str, stack: str) -> dict[str, Any]:
        """The engine's state of a stack."""
        whole = json.loads(self.blobs(container)[f".pulumi/stacks/vaern/{stack}.json"])
        return dict(whole["checkpoint"]["latest"])

    def locks(self, container: str) -> list[dict[str, Any]]:
        """The engine's locks."""
        return [json.loads(text) for name, text in self.blobs(container).items() if "/locks/" in name]

    def put(self, container: str, name: str, content: bytes) -> None:
        """Write a blob."""
        self._call("PUT", f"/{container}/{quote(name)}", content)

    @property
    def address(self) -> str:
        """Of the account, as a storage account's own name is in Azure."""
        return f"http://127.0.0.1:{self.port}/{ACCOUNT}"

    def _call(self, method: str, path: str, content: bytes = b"") -> bytes:
        headers = {"x-ms-date": datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT"), "x-ms-version": VERSION}
        if content:
            headers |= {"x-ms-blob-type": "BlockBlob", "Content-Type": "application/octet-stream"}
        headers = signed(method, f"{self.address}{path}", headers, len(content))
        asked = urllib.request.Request(  # noqa: S310 - on loopback
            f"{self.address}{path}", data=content or None, method=method, headers=headers
        )
        # Whatever proxy this machine has, it is not on the way to itself.
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(asked, timeout=60) as answer:
            return bytes(answer.read())


def signed(method: str, address: str, headers: dict[str, str], length: int = 0) -> dict[str, str]:
    """The headers with a signature by the account's key."""
    # An emulator has the account in the path, and so twice in what is signed.
    parts = urlsplit(address)
    resource = f"/{ACCOUNT}{parts.path}" + "".join(f"\n{k}:{v}" for k, v in sorted(parse_qsl(parts.query)))
    named = "\n".join(f"{key}:{value}" for key, value in sorted(headers.items()) if key.startswith("x-ms-"))
    standard = ["", "", str(length or ""), "", headers.get("Content-Type", ""), *[""] * 6]
    text = "\n".join([method, *standard, named, resource])
    signature = hmac.digest(base64.b64decode(KEY), text.encode(), hashlib.sha256)
    return {**headers, "Authorization": f"SharedKey {ACCOUNT}:{base64.b64encode(signature).decode()}"}


def missing(tools: Path) -> str:
    """Why the emulator cannot be started here, or nothing."""
    if not shutil.which("node"):
        return f"no node on PATH: {SET_UP}"
    told = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False).stdout.strip()
    if int(told.removeprefix("v").partition(".")[0] or 0) < OLDEST_NODE:
        return f"node on PATH is {told or 'broken'}, and Azurite needs {OLDEST_NODE} or newer: {SET_UP}"
    return "" if _program(tools).exists() else f"no Azurite in {tools}: {SET_UP}"


@contextmanager
def running(tools: Path, folder: Path) -> Iterator[Storage]:
    """The emulator on a free port of loopback, with all it keeps below the folder, until the block ends."""
    log = folder / "azurite.log"
    words = ["node", str(_program(tools)), "--blobHost", "127.0.0.1", "--blobPort", "0", "--location", str(folder)]
    with log.open("w") as output:
        process = subprocess.Popen(
            [*words, "--silent", "--disableTelemetry", "--disableProductStyleUrl"],
            env={**os.environ, "AZURITE_ACCOUNTS": f"{ACCOUNT}:{KEY}"},
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )
    try:
        yield Storage(_port(process, log))
    finally:
        process.terminate()
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _port(process: subprocess.Popen[bytes], log: Path) -> int:
    """The port it says it listens on."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if told := re.search(r"successfully listens on http://127\.0\.0\.1:(\d+)", log.read_text()):
            return int(told[1])
        time.sleep(0.05)
    raise AssertionError(f"Azurite did not start: {log.read_text()}")


def _program(tools: Path) -> Path:
    return tools / "azurite" / "node_modules" / "azurite" / "dist" / "src" / "blob" / "main.js"
