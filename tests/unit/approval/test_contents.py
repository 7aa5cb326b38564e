"""Every field of the declaration, and of what is declared about who receives, changes what is signed, and is named."""

from __future__ import annotations

import enum
import functools
import hashlib
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Any

import pytest
from pydantic import BaseModel
from support.approvals import CHIEF, EXAMPLES, allow, make_key

from vaern import approval
from vaern.approval import Approval, Contents, Roots, contents
from vaern.approval.manifest import Manifest, changes, parse
from vaern.declaration import load_deployment, load_municipality
from vaern.errors import ApprovalError
from vaern.model.azure import AzureMunicipality, Budget
from vaern.model.declaration import Erspan, Municipality, Vxlan, Way
from vaern.model.deployment import Deployment, SocOutput
from vaern.model.notify import MailServer, Notify, OperationsNotify, QuietHours, Webhook
from vaern.model.vocabulary import SocProtocol

Place = tuple[str | int, ...]
Check = Callable[[Contents], Approval]
PEM = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
NOT_OF_THE_MUNICIPALITY = {
    ("hubs", "archive_gib"): "how large the disk of the archive is",
    ("soc_profiles", "other"): "a SOC that this municipality has not chosen",
    ("notify",): "who of operations is told of alarms; who of the municipality is, is covered",
    ("azure",): "what Azure costs; where it is, is covered",
}


@functools.cache
def complete() -> Municipality:
    """The documented example with every optional part given, so that every field of the schema is there."""
    found = load_municipality(EXAMPLES / "municipality.yml")
    tap = found.taps[0]
    told_apart = {"network": IPv4Network("198.51.102.0/24"), "host_name": "fw1", "program": "app", "certificate": PEM}
    told_apart["dns"] = "fw1.favrskov.lan"
    first, *others = (one.model_copy(update=told_apart) for one in found.log_sources)
    way_in = Way(address="198.51.100.10", jump="jump.favrskov.example", jump_user="drift")
    given = {
        "vxlan": Vxlan(vni=1, remote=IPv4Address("198.51.100.9")),
        "erspan": Erspan(version=1, session=1, remote=IPv4Address("198.51.100.9")),
    }
    return found.model_copy(
        update={
            "sites": tuple(
                site.model_copy(update={"other_networks": (IPv4Network("198.51.102.0/24"),)}) for site in found.sites
            ),
            "hosts": tuple(
                host.model_copy(update={"ssh": way_in, "ipv6": IPv6Address("2001:db8::10")}) for host in found.hosts
            ),
            "log_sources": (first.model_copy(update={"retention_days": 500}), *others),
            "taps": (tap.model_copy(update=given),),
            "notify": Notify(
                mail=("it@favrskov.example",),
                webhook=Webhook(url="https://hooks.favrskov.example/", authority=PEM),
                quiet=QuietHours(start="22:00", end="07:00"),
            ),
            "azure": AzureMunicipality(
                reader_group=found.on_azure.reader_group,
                throughput_max=2,
                budget=Budget(dkk_per_month=3000, starts=date(2026, 12, 1), contacts=("it@favrskov.example",)),
            ),
        }
    )


@functools.cache
def deployment() -> Deployment:
    found = load_deployment(EXAMPLES / "collector.yml")
    output = SocOutput(
        name="kafka", protocol=SocProtocol.KAFKA, reader="soc-national", address="soc.example", port=6514,
        certificate_name="soc.example", authority=PEM, reader_group="00000000-0000-4000-8000-00000000050c",
    )  # fmt: skip
    national = found.soc_profiles["national"].model_copy(update={"outputs": (output,)})
    profiles = found.soc_profiles | {"national": national, "other": national}
    hubs = tuple(hub.model_copy(update={"endpoint": f"{hub.name}.example"}) for hub in found.hubs)
    server = MailServer(address="smtp.faelles.example", sender="vaern@faelles.example")
    operations = OperationsNotify(mail=("drift@faelles.example",), mail_server=server)
    return found.model_copy(update={"soc_profiles": profiles, "hubs": hubs, "notify": operations})


def leaves(value: Any, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Every value below a model, with the way to it."""
    if isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from leaves(getattr(value, name), (*place, name))
    elif isinstance(value, dict):
        for name, below in value.items():
            yield from leaves(below, (*place, name))
    elif isinstance(value, tuple) and value and isinstance(value[0], BaseModel):
        for number, below in enumerate(value):
            yield from leaves(below, (*place, number))
    else:
        yield place, value


def another(value: Any) -> Any:
    """A value of the same kind that is not this one."""
    match value:
        case enum.Enum():
            return next(one for one in type(value) if one is not value)
        case bool() | int() | float():
            return value + 1
        case str():
            return f"{value}x"
        case date():
            return value + timedelta(days=31)
        case tuple():
            return (*value, *value[:1]) if value else (SocOutput(name="kafka", protocol=SocProtocol.KAFKA),)
        case IPv4Address() | IPv6Address():
            return value + 1
        case IPv4Network() | IPv6Network():
            return value.supernet()
        case None:
            return 500
    raise AssertionError(f"no other value of {value!r}")


def changed(model: Any, place: Place) -> Any:
    """The same, with another value there."""
    if not place:
        return another(model)
    first, rest = place[0], place[1:]
    if isinstance(model, BaseModel):
        return model.model_copy(update={first: changed(getattr(model, str(first)), rest)})
    if isinstance(model, dict):
        return model | {first: changed(model[first], rest)}
    return tuple(changed(one, rest) if number == first else one for number, one in enumerate(model))


def fields(model: type[BaseModel], seen: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    """The way to every field of the schema, without numbers and names."""
    schema = model.model_json_schema()

    def below(part: Any, way: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        if "$ref" in part:
            part = schema["$defs"][part["$ref"].rpartition("/")[2]]
        options = [one for one in part.get("anyOf", ()) if one.get("type") != "null"]
        if options:
            for one in options:
                yield from below(one, way)
        elif part.get("type") == "object" and "properties" in part:
            for name, inner in part["properties"].items():
                yield from below(inner, (*way, name))
        elif part.get("type") == "array" and "$ref" in part.get("items", {}):
            yield from below(part["items"], way)
        else:
            yield way

    return set(below(schema, seen))


def covered(municipality: Municipality, shared: Deployment) -> Contents:
    return contents(shared, municipality, {"inventories/favrskov/hosts.yml": b"all: {}\n"}, {"x_1_all.deb": b"x"})


def way(place: Place) -> tuple[str, ...]:
    return tuple(str(one) for one in place if isinstance(one, str))


PLACES = [place for place, _ in leaves(complete())]


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Check:
    """Compares what would be applied with an approval of the complete declaration, which was signed once."""
    place, today = tmp_path_factory.mktemp("signed"), date(2026, 11, 29)
    folder, roots = place / "favrskov", Roots.of(place / "state", "favrskov")
    folder.mkdir()
    key = make_key(place, "chief")
    allow(folder / "allowed_signers", CHIEF, key)
    signers = (folder / "allowed_signers").read_bytes()
    roots.pin(signers, hashlib.sha256(signers).hexdigest())
    before = covered(complete(), deployment())
    approval.approve(folder, approval.prepared(folder, roots, before, today), key)
    assert approval.check(folder, roots, before, today).signer == CHIEF
    return lambda now: approval.check(folder, roots, now, today)


@pytest.mark.parametrize("place", PLACES, ids=lambda place: ".".join(map(str, place)))
def test_every_declared_field_is_signed_and_named(place: Place, signed: Check) -> None:
    municipality, shared = complete(), deployment()
    if place[0] == "soc":
        other = municipality.model_copy(update={"soc": municipality.soc | {place[1]: "other"}})
    else:
        other = changed(municipality, place)
    with pytest.raises(ApprovalError, match="since it was signed") as refused:
        signed(covered(other, shared))
    named = [line for line in refused.value.what.splitlines() if line.startswith("  declared ")]
    assert any(str(place[-1]) in line or str(place[-2]) in line for line in named), named


def test_no_field_of_the_schema_is_left_out() -> None:
    """A field that is added to the declaration is tried above from then on, or this fails."""
    lists = {tuple(one for one in way(place) if one) for place in PLACES}
    known = {one[:1] if one[0] == "soc" else one for one in lists}
    missing = {one for one in fields(Municipality) if one not in known and one[:1] not in known}
    assert missing == set()


@pytest.mark.parametrize(
    "place", [place for place, _ in leaves(deployment())], ids=lambda place: ".".join(map(str, place))
)
def test_what_is_shared_and_who_receives_is_signed_too(place: Place) -> None:
    before, shared = covered(complete(), deployment()), deployment()
    after = covered(complete(), changed(shared, place))
    reason = next((why for left, why in NOT_OF_THE_MUNICIPALITY.items() if way(place)[: len(left)] == left), "")
    if place[0] == "azure" and place[1] in {"subscription", "tenant", "location", "environment", "admin_group"}:
        reason = ""
    assert bool(changes(before, after)) == (not reason), f"{place}: {reason}"


def test_what_the_issue_saw_is_told_in_words() -> None:
    municipality, shared = complete(), deployment()
    before = covered(municipality, shared)
    privacy = municipality.privacy.model_copy(update={"retention_days": 10, "processing_agreement": "none"})
    contact = municipality.contacts[0].model_copy(update={"email": "else@where.example"})
    after = municipality.model_copy(
        update={"privacy": privacy, "contacts": (contact,), "soc": municipality.soc | {"health": "joint"}}
    )
    output = shared.soc_profiles["national"].outputs[0].model_copy(update={"reader": "favrskov-gw1"})
    profiles = shared.soc_profiles | {"joint": shared.soc_profiles["joint"].model_copy(update={"outputs": (output,)})}
    told = changes(before, covered(after, shared.model_copy(update={"soc_profiles": profiles})))
    assert {
        'declared contacts[0].email: "it@favrskov.example" -> "else@where.example"',
        'declared privacy.processing_agreement: "DBA-2026-0710" -> "none"',
        "declared privacy.retention_days: 400 -> 10",
        'declared soc.health: "national" -> "joint"',
        'receiving joint.outputs[kafka].reader: nothing -> "favrskov-gw1"',
    } <= set(told)


def test_a_package_and_a_file_are_covered_by_their_bytes() -> None:
    municipality, shared = complete(), deployment()
    one = contents(shared, municipality, {"roles/a.yml": b"1"}, {"x_1_all.deb": b"1"})
    assert changes(one, contents(shared, municipality, {"roles/a.yml": b"2"}, {"x_1_all.deb": b"1"})) == [
        "roles/a.yml was changed"
    ]
    (told,) = changes(one, contents(shared, municipality, {"roles/a.yml": b"1"}, {"x_1_all.deb": b"2"}))
    assert told.startswith("package x_1_all.deb: ")


def test_all_of_it_is_a_manifest_that_is_read_back() -> None:
    manifest = Manifest("favrskov", 1, date(2027, 1, 1), covered(complete(), deployment()))
    assert parse(manifest.text, "manifest") == manifest


@pytest.mark.parametrize("path", ["roles/a b", "roles/a\nb", "roles/../x", "/etc/passwd", "roles/a\\b", "roles/"])
def test_a_name_that_sha256sum_would_read_otherwise_is_refused(path: str) -> None:
    with pytest.raises(ApprovalError, match="has a name that a manifest cannot hold"):
        contents(deployment(), complete(), {path: b""}, {})
