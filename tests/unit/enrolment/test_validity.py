"""When recorded certificates end, and which cannot be read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from support.certificates import Authority

from vaern.enrolment.validity import validity


def test_the_end_of_each_certificate_and_what_cannot_be_read() -> None:
    certificate, later = (Authority().issue("hub1", hours=hours).certificate for hours in (48, 96))
    record = {
        "hub1": {"certificate": certificate},
        "favrskov-gw1": {"certificate": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"},
        "favrskov-sensor1": {"wireguard_public_key": "k"},
    }
    found = validity(record, ["hub1", "favrskov-gw1", "favrskov-sensor1", "favrskov-gw2"])
    assert found.unread == ("favrskov-gw1", "favrskov-sensor1", "favrskov-gw2")
    (hub,) = found.valid
    assert hub.host == "hub1"
    assert (
        hub.ends
        == validity({"gw1": {"certificate": later, "delivery_certificate": certificate}}, ["gw1"]).valid[0].ends
    )
    begins, ends = datetime.fromisoformat(hub.begins), datetime.fromisoformat(hub.ends)
    assert begins < datetime.now(UTC) < ends < datetime.now(UTC) + timedelta(hours=49)
