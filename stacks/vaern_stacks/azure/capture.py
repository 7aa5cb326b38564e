"""What Event Hubs' capture has written into a municipality's write-once container, read with the operator's own login.

The account answers in networks that reach its private endpoint only, as the vault does. Blob REST: "List Blobs" and
"Get Blob". Nothing is written, and nothing of what is read is kept.
"""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

from vaern.errors import ProofError
from vaern.model.azure import RELAY_STREAM
from vaern.model.deployment import Deployment
from vaern_programs.shared import blocks
from vaern_programs.shared.json_text import UnfitError
from vaern_stacks.azure import avro
from vaern_stacks.azure.event_hubs import EventHub
from vaern_stacks.azure.naming import Names, stream_container, stream_hub

VERSION = "2021-12-02"
"""Of the blob service's interface."""
SCOPE = "https://storage.azure.com/.default"
TIMEOUT_SECONDS = 60.0
LISTED = 5000
"""Most names in one answer; the service's own limit."""
ANSWER_CHARACTERS = 300
Headers = dict[str, str]
Authorize = Callable[[str, str, Headers], Headers]
"""The headers of a request (method, address, headers so far) that say who asks."""


def bearer(token: Callable[[], str]) -> Authorize:
    """By a token of Entra, asked for anew with every request; whoever gives it keeps it as long as it is good."""
    return lambda _method, _address, headers: {**headers, "Authorization": f"Bearer {token()}"}


@dataclass(frozen=True, slots=True)
class CaptureLocation:
    """Where the events of one stream are captured to."""

    account: str
    """Address of the storage account's blobs, without a slash at the end."""
    container: str
    namespace: str
    event_hub: str
    partitions: int
    code: str
    """Of the municipality whose events they are."""

    @classmethod
    def of(cls, deployment: Deployment, slug: str, code: str, hub: EventHub | None = None) -> CaptureLocation:
        """As declared; names are computed, so nobody has to be asked for them. Without `hub`, that of the relays."""
        names = Names.of(deployment)
        account = f"https://{names.storage(slug)}.blob.core.windows.net"
        stream, name = (hub.stream, hub.name) if hub else (RELAY_STREAM, stream_hub(RELAY_STREAM, code))
        parts = deployment.on_azure.event_hubs.partitions
        return cls(account, stream_container(stream, code), names.namespace(slug), name, parts, code)

    def prefixes(self, since: datetime, until: datetime) -> list[str]:
        """Folders that hold what was captured between the two times; one a partition and hour (CAPTURE_FORMAT)."""
        hour = since.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        hours = []
        while hour <= until.astimezone(UTC):
            hours.append(hour)
            hour += timedelta(hours=1)
        folder = f"{self.namespace}/{self.event_hub}"
        return [f"{folder}/{part}/{one:%Y/%m/%d/%H}/" for one in reversed(hours) for part in range(self.partitions)]


@dataclass(frozen=True, slots=True)
class CaptureReader:
    """The container, and who asks."""

    location: CaptureLocation
    authorize: Authorize
    unread: Counter[str] = field(default_factory=Counter)
    """How many records say that they are blocks and are not, by what was found; they hold no event for anybody."""

    def files(self, since: datetime, until: datetime) -> list[str]:
        """Names of what was captured in that time, newest hour first."""
        return [name for prefix in self.location.prefixes(since, until) for name in self._list(prefix)]

    def events(self, name: str) -> Iterator[dict[str, Any]]:
        """The events of one file, those of blocks too. What is no event of ours is passed over. Raises ProofError."""
        with closing(self._get(f"/{self.location.container}/{quote(name)}")) as answer:
            try:
                for record in avro.records(answer):
                    yield from self._events(record.get("Body"))
            except (avro.AvroError, OSError, http.client.HTTPException) as error:
                fix = "run again; if it stays, look at the file itself: capture wrote what cannot be read"
                raise ProofError(f"{self.location.container}/{name}: {error}", fix=fix) from error

    def _events(self, body: Any) -> Iterator[dict[str, Any]]:
        """What one record holds: a block, or as relays of every version send it, one event."""
        lines = [body]
        if isinstance(body, bytes) and blocks.is_block(body):
            try:
                lines = blocks.opened(body, self.location.code).text.splitlines()
            except UnfitError as fault:
                self.unread[str(fault)] += 1
                return
        yield from (event for event in map(_event, lines) if event is not None)

    def _list(self, prefix: str) -> Iterator[str]:
        marker = ""
        while True:
            wanted = {"restype": "container", "comp": "list", "prefix": prefix, "maxresults": str(LISTED)}
            wanted |= {"marker": marker} if marker else {}
            with closing(self._get(f"/{self.location.container}?{urlencode(wanted)}")) as answer:
                listed = ET.fromstring(answer.read())  # noqa: S314 - Azure's own answer, over TLS
            yield from (str(one.text) for one in listed.iter("Name"))
            marker = listed.findtext("NextMarker") or ""
            if not marker:
                return

    def _get(self, path: str) -> http.client.HTTPResponse:
        address = f"{self.location.account}{path}"
        now = datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
        headers = self.authorize("GET", address, {"x-ms-version": VERSION, "x-ms-date": now})
        request = urllib.request.Request(address, headers=headers)  # noqa: S310 - computed from names
        try:
            answer: http.client.HTTPResponse = urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS)  # noqa: S310
        except urllib.error.HTTPError as error:
            with closing(error):
                error_text = error.headers.get("x-ms-error-code") or error.read().decode("utf-8", "replace")
            what = f"{self.location.container}: Azure answers {error.code}: {error_text[:ANSWER_CHARACTERS]}"
            raise ProofError(what, fix=_fix(error.code)) from error
        except (urllib.error.URLError, OSError) as error:
            fix = "run it in a network that reaches the archive's private endpoint, as for the vault"
            raise ProofError(f"no answer from {self.location.account} ({error})", fix=fix) from error
        return answer


def _event(body: Any) -> dict[str, Any] | None:
    """What a relay sent, or None."""
    try:
        event = json.loads(body)
    except (TypeError, ValueError):
        return None
    return event if isinstance(event, dict) else None


def _fix(code: int) -> str:
    if code == http.HTTPStatus.FORBIDDEN:
        return "be in azure.admin_group or in the municipality's reader_group, which may read it; then `az login` again"
    if code == http.HTTPStatus.NOT_FOUND:
        return "run `vaern onboard MUNICIPALITY`: the stack makes the container"
    return "run `az login`, then the same command again"
