"""What a hostile relay does to the broker, run on a host that has a relay's key; prints JSON.

    hostile_client.py announce NAME BYTES PER_ADDRESS SECONDS SOURCE...  connections that announce so many bytes and
                                                                 send ten; counted after so long, or when all have ended
    hostile_client.py idle NAME COUNT SOURCE                     connections that say nothing
    hostile_client.py hurry COUNT SOURCE...                      connections that are gone at once, as fast as they go
    hostile_client.py garbage SEED COUNT                         TLS openings that are damaged, each in another way
    hostile_client.py ask NAME [SESSION_FILE]                    one honest request; the session is kept for the next

The broker is in /root/collector, as [address]:port.
"""

from __future__ import annotations

import contextlib
import json
import random
import socket
import ssl
import struct
import sys
import time
from pathlib import Path

ADDRESS, PORT = Path("/root/collector").read_text(encoding="ascii").strip().removeprefix("[").split("]:")
PEER = (ADDRESS, int(PORT))
SETTLED_SECONDS = 3
"""For a broker that shares its processors with other tests."""
PATIENCE_SECONDS = 30
"""For what the broker does in its own time."""
API_VERSIONS = struct.pack(">hhih", 18, 0, 1, -1)


def context_of(name: str) -> ssl.SSLContext:
    """TLS 1.3 with the certificate of that relay."""
    context = ssl.create_default_context(cafile="/root/ca.crt")
    context.load_cert_chain(f"/root/{name}.crt", f"/root/{name}.key")
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context


def connected(context: ssl.SSLContext, source: str = "", session: ssl.SSLSession | None = None) -> ssl.SSLSocket:
    """A connection from that address. Raises OSError."""
    plain = socket.create_connection(PEER, timeout=10, source_address=(source, 0) if source else None)
    return context.wrap_socket(plain, server_hostname=ADDRESS, session=session)


def answered(connection: ssl.SSLSocket) -> bool:
    """Whether the broker answers the simplest request of the protocol."""
    connection.sendall(struct.pack(">i", len(API_VERSIONS)) + API_VERSIONS)
    return len(connection.recv(4)) == 4


def announce(name: str, size: str, per_address: str, patience: str, *sources: str) -> dict[str, object]:
    """Take memory at the broker with as little as possible, and ask from another address meanwhile."""
    context, opened, refused = context_of(name), [], 0
    for source in sources:
        for _ in range(int(per_address)):
            try:
                connection = connected(context, source)
                connection.sendall(struct.pack(">i", int(size)) + b"0123456789")
                opened.append(connection)
            except OSError:
                refused += 1
    began = time.monotonic()
    other = answered(connected(context_of("aarhus-gw1")))
    seconds = time.monotonic() - began
    limit = time.monotonic() + float(patience)
    held = [connection for connection in opened if not has_ended(connection)]
    while held and time.monotonic() < limit:
        time.sleep(0.2)
        held = [connection for connection in held if not has_ended(connection)]
    return {"held": len(held), "refused": refused + len(opened) - len(held), "other": other, "seconds": seconds}


def has_ended(connection: ssl.SSLSocket) -> bool:
    """Whether the broker has closed it."""
    connection.setblocking(False)
    try:
        return connection.recv(1) == b""
    except ssl.SSLWantReadError:
        return False
    except OSError:
        return True


def idle(name: str, count: str, source: str) -> dict[str, object]:
    """Connections that are kept, and who is still let in."""
    context, held, refused = context_of(name), [], 0
    for _ in range(int(count)):
        try:
            held.append(connected(context, source))
        except OSError:
            refused += 1
    return {"held": len(held), "refused": refused, "other": answered(connected(context_of("aarhus-gw1")))}


def hurry(count: str, *sources: str) -> dict[str, object]:
    """How long so many connections took to be let in; each is reset, so that it neither counts as held nor lingers."""
    began = time.monotonic()
    for number in range(int(count)):
        with socket.create_connection(PEER, timeout=60, source_address=(sources[number % len(sources)], 0)) as plain:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    seconds = time.monotonic() - began
    return {"seconds": seconds, "other": answered(connected(context_of("aarhus-gw1")))}


def garbage(seed: str, count: str) -> dict[str, object]:
    """A real ClientHello, with bytes changed, cut off, repeated or made up."""
    chance, hello = random.Random(int(seed)), client_hello()  # noqa: S311 (the same damage in each run)
    ended = 0
    for _ in range(int(count)):
        with socket.create_connection(PEER, timeout=10) as plain:
            try:
                plain.sendall(damaged(hello, chance))
                plain.shutdown(socket.SHUT_WR)
                while plain.recv(4096):
                    pass
            except TimeoutError:
                continue
            except OSError:
                # It closed, or reset, while this was still writing.
                pass
            ended += 1
    return {"ended": ended, "other": answered(connected(context_of("aarhus-gw1")))}


def client_hello() -> bytes:
    """The first message of a real client."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context_of("aarhus-gw1").wrap_bio(incoming, outgoing, server_hostname=ADDRESS)
    with contextlib.suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


def damaged(hello: bytes, chance: random.Random) -> bytes:
    """One of five kinds of damage."""
    text, kind = bytearray(hello), chance.randrange(5)
    if kind == 0:
        for _ in range(chance.randrange(1, 12)):
            text[chance.randrange(len(text))] = chance.randrange(256)
    elif kind == 1:
        del text[chance.randrange(len(text)) :]
    elif kind == 2:
        # Lengths are what parsers trust: of record, of handshake, and somewhere in the extensions.
        place = chance.choice([3, 7, chance.randrange(40, len(text) - 2)])
        text[place : place + 2] = chance.choice([b"\0\0", b"\xff\xff", b"\x7f\xff"])
    elif kind == 3:
        text = text * chance.randrange(2, 30)
    else:
        text = bytearray(chance.randbytes(chance.randrange(1, 20000)))
    return bytes(text)


def ask(name: str, session_file: str = "") -> dict[str, object]:
    """One request; with the session and the connection of before, in one process: neither can be stored elsewhere.

    Java takes a session up again only at the second try.
    """
    context = context_of(name)
    first, other = connected(context), connected(context_of("favrskov-gw1"))
    found: dict[str, object] = {"answered": answered(first)}
    if session_file:
        session = first.session
        found["tickets"] = bool(session and session.has_ticket)
        Path(session_file).touch()
        limit = time.monotonic() + 2 * PATIENCE_SECONDS
        while Path(session_file).exists() and time.monotonic() < limit:
            time.sleep(0.1)
        time.sleep(SETTLED_SECONDS)
        # This one first: Python 3.13 takes the broken pipe of one connection for that of the next it writes to (seen).
        found["others_goes_on"] = still_answered(other)
        limit = time.monotonic() + PATIENCE_SECONDS
        while (goes_on := still_answered(first)) and time.monotonic() < limit:
            time.sleep(0.2)
        found["goes_on"] = goes_on
        found["again"] = [again(context, session) for _ in range(5)]
    return found


def still_answered(connection: ssl.SSLSocket) -> bool:
    """Whether a connection that was open before is answered on."""
    try:
        return answered(connection)
    except OSError:
        return False


def again(context: ssl.SSLContext, session: ssl.SSLSession | None) -> str:
    """What another connection with that session comes to."""
    try:
        return f"answered {answered(connected(context, session=session))}"
    except OSError as error:
        return str(error)


if __name__ == "__main__":
    verbs = {"announce": announce, "idle": idle, "hurry": hurry, "garbage": garbage, "ask": ask}
    print(json.dumps(verbs[sys.argv[1]](*sys.argv[2:])))
