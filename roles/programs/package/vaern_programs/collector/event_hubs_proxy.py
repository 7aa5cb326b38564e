"""Carries each municipality's Kafka connections from its overlay address to its own Event Hubs namespace.

TLS is between the relay and the namespace: bytes are passed on as they come. Where a connection leads is decided by
the address it comes from, which WireGuard has authenticated, and not by its content. The listening socket
is systemd's, so no connection is refused while this program restarts.
"""

from __future__ import annotations

import asyncio
import json
import signal
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Any

SETTINGS = Path("/etc/vaern/event_hubs_proxy/settings.json")
FIRST_DESCRIPTOR = 3
"""Where systemd hands over the socket (sd_listen_fds)."""
CHUNK_BYTES = 256 * 1024
CONNECT_SECONDS = 20.0
KEEPALIVE = {socket.TCP_KEEPIDLE: 60, socket.TCP_KEEPINTVL: 15, socket.TCP_KEEPCNT: 4}
"""A peer that is gone is noticed after two minutes (seconds, seconds, attempts)."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What is declared: where each address leads, and what is never left."""

    destinations: Mapping[str, str]
    """Overlay address of a gateway to the name of its namespace."""
    network: IPv4Network | IPv6Network
    """The subnet of the private endpoints; a name that resolves to anything else is not followed."""
    port: int
    connections: int
    """Most connections from one address at the same time."""

    @classmethod
    def read(cls, text: str) -> Settings:
        """Raises ValueError or KeyError when the text is not settings."""
        given: dict[str, Any] = json.loads(text)
        destinations = {str(ip_address(source)): str(name) for source, name in given["destinations"].items()}
        return cls(destinations, ip_network(given["network"]), int(given["port"]), int(given["connections"]))


class RefusedError(Exception):
    """A connection that is not carried; the text says why."""


@dataclass
class Proxy:
    """The connections in flight, and what decides about the next one."""

    settings: Settings
    carried: dict[str, set[asyncio.Task[None]]] = field(default_factory=dict)

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection to its end."""
        source = str(ip_address(writer.get_extra_info("peername")[0]))
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - asyncio runs every connection as a task
        own = self.carried.setdefault(source, set())
        own.add(task)
        try:
            namespace, backwards = await self._open(source, len(own))
            await carry(reader, writer, namespace, backwards)
        except (RefusedError, OSError) as error:
            say(f"{source}: {str(error) or 'no answer in time'}")
        except asyncio.CancelledError:
            say(f"{source}: is led elsewhere or nowhere now, and was cut off")
        finally:
            own.discard(task)
            # After an orderly end nothing is left to cut.
            writer.transport.abort()

    async def _open(self, source: str, count: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        name = self.settings.destinations.get(source)
        if name is None:
            raise RefusedError("leads nowhere")
        if count > self.settings.connections:
            raise RefusedError(f"has {self.settings.connections} connections already")
        async with asyncio.timeout(CONNECT_SECONDS):
            address = await self._resolve(name)
            opened = await asyncio.open_connection(address, self.settings.port, limit=CHUNK_BYTES)
        keep_alive(opened[1])
        return opened

    async def _resolve(self, name: str) -> str:
        """The endpoint's address, asked for each time: an endpoint that is made anew has another one."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(name, self.settings.port, type=socket.SOCK_STREAM)
        addresses = [str(one[4][0]) for one in found]
        inside = [address for address in addresses if ip_address(address) in self.settings.network]
        if not inside:
            listed = ", ".join(addresses)
            raise RefusedError(
                f"{name} is {listed}, which is not in {self.settings.network}: it has no private endpoint here"
            )
        return inside[0]

    def follow(self, settings: Settings) -> None:
        """From now on as these settings say; what leads elsewhere by them is cut off."""
        before, self.settings = self.settings, settings
        for source, tasks in self.carried.items():
            if settings.destinations.get(source) != before.destinations.get(source):
                for task in tasks:
                    task.cancel()


async def carry(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    namespace: asyncio.StreamReader,
    backwards: asyncio.StreamWriter,
) -> None:
    """Pass bytes on in both directions until both have ended. Raises OSError when one breaks; then both are cut."""
    keep_alive(writer)
    pumps = asyncio.gather(pump(reader, backwards), pump(namespace, writer))
    try:
        await pumps
        async with asyncio.timeout(CONNECT_SECONDS):
            for ended in (writer, backwards):
                ended.close()
                await ended.wait_closed()
    finally:
        pumps.cancel()
        backwards.transport.abort()


async def pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    """One direction. What cannot be sent on is not read either."""
    while chunk := await source.read(CHUNK_BYTES):
        target.write(chunk)
        await target.drain()
    if target.can_write_eof():
        target.write_eof()


def keep_alive(writer: asyncio.StreamWriter) -> None:
    """Have the kernel ask a silent peer whether it is there."""
    connected = writer.get_extra_info("socket")
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in KEEPALIVE.items():
        connected.setsockopt(socket.IPPROTO_TCP, option, value)


def say(text: str) -> None:
    """One line in the journal."""
    print(text, flush=True)


def declared() -> Settings:
    """The settings as they are now."""
    return Settings.read(SETTINGS.read_text(encoding="utf-8"))


async def serve(listening: socket.socket, proxy: Proxy) -> None:
    """Carry connections until the service is stopped; SIGHUP reads the settings again."""
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, lambda: proxy.follow(declared()))
    server = await asyncio.start_server(proxy.take, sock=listening, limit=CHUNK_BYTES)
    async with server:
        await server.serve_forever()


def main(arguments: list[str]) -> int:
    """`check FILE` says whether a file holds settings, for Ansible; without arguments connections are carried."""
    if arguments[:1] == ["check"]:
        Settings.read(Path(arguments[1]).read_text(encoding="utf-8"))
        return 0
    asyncio.run(serve(socket.socket(fileno=FIRST_DESCRIPTOR), Proxy(declared())))
    return 0
