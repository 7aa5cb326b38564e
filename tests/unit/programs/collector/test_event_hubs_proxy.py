"""The proxy on loopback: the address a connection comes from decides where it leads, and nothing else does."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from support.certificates import Authority

from vaern_programs.collector import event_hubs_proxy

FAVRSKOV, ODENSE, STRANGER = "127.0.0.11", "127.0.0.12", "127.0.0.99"
NAMESPACES = {FAVRSKOV: "127.0.0.21", ODENSE: "127.0.0.22"}
"""Each has an address of its own; all are inside the network that is declared."""
INSIDE = "127.0.0.16/28"
SECONDS = 120.0


@pytest.fixture(scope="module")
def program() -> ModuleType:
    return event_hubs_proxy


@dataclass
class Running:
    """The proxy, and what each namespace was sent."""

    proxy: Any
    port: int
    settings: Callable[..., Any]
    heard: dict[str, bytearray] = field(default_factory=dict)

    async def connect(self, source: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port, local_addr=(source, 0))

    async def ask(self, source: str, text: bytes) -> bytes:
        """Send, end, and read all that comes back; a connection that is reset gives nothing."""
        reader, writer = await self.connect(source)
        try:
            writer.write(text)
            writer.write_eof()
            return await reader.read()
        except ConnectionError:
            return b""
        finally:
            writer.close()


@asynccontextmanager
async def running(program: ModuleType, **changed: Any) -> AsyncIterator[Running]:
    """Two namespaces that say who they are and what they were told once the other end has ended."""
    heard = {address: bytearray() for address in NAMESPACES.values()}
    # Both on the same port, which the first one holds before the second asks for it.
    first, second = heard
    places = {first: socket.create_server((first, 0))}
    port = places[first].getsockname()[1]
    places[second] = socket.create_server((second, port))

    def settings(**others: Any) -> Any:
        given = {"destinations": NAMESPACES, "network": INSIDE, "port": port, "connections": 3} | changed | others
        return program.Settings.read(json.dumps(given))

    def namespace(address: str) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                while chunk := await reader.read(65536):
                    heard[address] += chunk
                    writer.write(address.encode() + b" " if len(heard[address]) == len(chunk) else b"")
                    writer.write(chunk)
                    await writer.drain()
            except (ConnectionError, asyncio.CancelledError):
                pass
            finally:
                writer.close()

        return answer

    proxy = program.Proxy(settings())
    listening = socket.create_server(("127.0.0.1", 0))
    servers = [await asyncio.start_server(namespace(address), sock=place) for address, place in places.items()]
    servers.append(await asyncio.start_server(proxy.take, sock=listening, limit=program.CHUNK_BYTES))
    try:
        yield Running(proxy, listening.getsockname()[1], settings, heard)
    finally:
        for server in servers:
            server.close()


async def ended(reader: asyncio.StreamReader) -> None:
    """The other end has gone, in order or not."""
    with suppress(ConnectionError):
        await reader.read()


def run(way: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(SECONDS):
            await way()

    asyncio.run(bounded())


def test_each_municipality_reaches_its_own_namespace(program: ModuleType) -> None:
    async def way() -> None:
        async with running(program) as made:
            assert await made.ask(FAVRSKOV, b"ours") == b"127.0.0.21 ours"
            assert await made.ask(ODENSE, b"theirs") == b"127.0.0.22 theirs"
            assert {address: bytes(text) for address, text in made.heard.items()} == {
                "127.0.0.21": b"ours",
                "127.0.0.22": b"theirs",
            }

    run(way)


def test_an_address_that_is_not_declared_leads_nowhere(program: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    async def way() -> None:
        async with running(program) as made:
            assert await made.ask(STRANGER, b"let me in") == b""
            assert not any(made.heard.values())

    run(way)
    assert capsys.readouterr().out == f"{STRANGER}: leads nowhere\n"


def test_a_name_outside_the_endpoints_is_not_followed(program: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    """A public address would mean that the private endpoint is gone, and the way would lead over the Internet."""

    async def way() -> None:
        async with running(program, network="10.80.4.0/22") as made:
            assert await made.ask(FAVRSKOV, b"ours") == b""
            assert not any(made.heard.values())

    run(way)
    assert "127.0.0.21, which is not in 10.80.4.0/22" in capsys.readouterr().out


def test_tls_is_between_the_relay_and_the_namespace(program: ModuleType, tmp_path: Path) -> None:
    """The name is the namespace's own, asked for at the hub's address; another's certificate is refused through it."""
    authority, name = Authority(), "evh-favrskov.servicebus.windows.net"
    (tmp_path / "ca.crt").write_text(authority.certificate)
    client = ssl.create_default_context(cafile=str(tmp_path / "ca.crt"))

    async def told(named: str) -> bytes:
        own = authority.issue(named)
        (tmp_path / "own.pem").write_text(own.key + own.certificate)
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.load_cert_chain(tmp_path / "own.pem")

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"hello " + await reader.readexactly(5))
            await writer.drain()
            writer.close()

        settings = {"destinations": {FAVRSKOV: "127.0.0.21"}, "network": INSIDE, "port": 0, "connections": 3}
        listening = socket.create_server(("127.0.0.21", 0))
        settings["port"] = listening.getsockname()[1]
        proxy = program.Proxy(program.Settings.read(json.dumps(settings)))
        async with (
            await asyncio.start_server(answer, sock=listening, ssl=server),
            await asyncio.start_server(proxy.take, "127.0.0.1", 0) as front,
        ):
            port = front.sockets[0].getsockname()[1]
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", port, ssl=client, server_hostname=name, local_addr=(FAVRSKOV, 0)
            )
            writer.write(b"relay")
            try:
                return await reader.read(100)
            finally:
                writer.close()

    async def way() -> None:
        assert await told(name) == b"hello relay"
        with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
            await told("evh-odense.servicebus.windows.net")

    run(way)


def test_much_is_carried_whole_in_both_directions(program: ModuleType) -> None:
    sent = bytes(range(256)) * (40 * 4096)

    async def way() -> None:
        async with running(program) as made:
            reader, writer = await made.connect(FAVRSKOV)

            async def send() -> None:
                for start in range(0, len(sent), 2**20):
                    writer.write(sent[start : start + 2**20])
                    await writer.drain()
                writer.write_eof()

            _, back = await asyncio.gather(send(), reader.read())
            writer.close()
            assert back == b"127.0.0.21 " + sent

    run(way)


def test_one_municipality_cannot_take_all_connections(program: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    async def way() -> None:
        async with running(program) as made:
            held = [await made.connect(FAVRSKOV) for _ in range(3)]
            for reader, writer in held:
                writer.write(b"x")
                assert await reader.read(1)
            assert await made.ask(FAVRSKOV, b"one more") == b""
            assert await made.ask(ODENSE, b"theirs") == b"127.0.0.22 theirs"
            held[0][1].write_eof()
            await ended(held[0][0])
            assert await made.ask(FAVRSKOV, b"again")
            for _, writer in held[1:]:
                writer.close()

    run(way)
    assert f"{FAVRSKOV}: has 3 connections already" in capsys.readouterr().out


def test_who_is_offboarded_is_cut_off_and_nobody_else(program: ModuleType) -> None:
    async def way() -> None:
        async with running(program) as made:
            leaving, staying = await made.connect(FAVRSKOV), await made.connect(ODENSE)
            for reader, writer in (leaving, staying):
                writer.write(b"x")
                assert await reader.read(1)
            made.proxy.follow(made.settings(destinations={ODENSE: NAMESPACES[ODENSE]}))
            await ended(leaving[0])
            assert await made.ask(FAVRSKOV, b"still here") == b""
            staying[1].write(b"on")
            staying[1].write_eof()
            assert (await staying[0].read()).endswith(b"on")
            for _, writer in (leaving, staying):
                writer.close()

    run(way)


def test_a_namespace_that_does_not_answer_is_told_to_the_relay_at_once(
    program: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    async def way() -> None:
        async with running(program) as made:
            made.proxy.follow(made.settings(destinations={FAVRSKOV: "127.0.0.23"}))
            assert await made.ask(FAVRSKOV, b"ours") == b""

    run(way)
    assert f"{FAVRSKOV}: " in capsys.readouterr().out


@pytest.mark.parametrize("text", ["", "{}", '{"destinations": {"here": "x"}, "network": "::/0", "port": 1}'])
def test_settings_that_are_none_are_refused(program: ModuleType, text: str) -> None:
    with pytest.raises((ValueError, KeyError)):
        program.Settings.read(text)
