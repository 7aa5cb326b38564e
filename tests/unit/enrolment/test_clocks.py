"""A clock that is wrong is noticed before a certificate is made by it, whichever clock it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from vaern.enrolment.certificates import CLOCK_SKEW
from vaern.enrolment.clocks import TOLERANCE, check_clocks, made_at
from vaern.errors import StateError

NOW = datetime(2027, 11, 29, 20, 0, tzinfo=UTC)
YEAR = timedelta(days=365)


def test_a_clock_a_year_ahead_is_refused_with_both_times() -> None:
    with pytest.raises(StateError) as refused:
        check_clocks(NOW, {"hub1": -YEAR, "favrskov-gw1": timedelta(seconds=2)}, {})
    assert "this machine shows 2027-11-29 20:00:00 UTC" in refused.value.what
    assert "that of hub1 shows 2026-11-29 20:00:00 UTC" in refused.value.what
    assert "favrskov-gw1" not in refused.value.what
    assert "timedatectl" in refused.value.fix


def test_a_clock_behind_what_was_made_is_refused_with_both_times() -> None:
    with pytest.raises(StateError) as refused:
        check_clocks(NOW - YEAR, {}, {"hub1": NOW, "favrskov-gw1": NOW - YEAR})
    assert (
        "shows 2026-11-29 20:00:00 UTC; the certificate of hub1 was not made before 2027-11-29 20:00:00"
        in refused.value.what
    )


def test_a_certificate_that_an_earlier_version_has_just_made_is_no_clock_that_is_wrong() -> None:
    """It began five minutes before it was made, not an hour: an upgrade was refused."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hub1")])
    begins = NOW - timedelta(minutes=5)
    built = x509.CertificateBuilder(name, name, key.public_key(), 1, begins, NOW + YEAR).sign(key, hashes.SHA256())
    check_clocks(NOW, {}, made_at({"hub1": built.public_bytes(Encoding.PEM).decode()}))


@given(by=st.timedeltas(-TOLERANCE, TOLERANCE))
def test_what_is_not_refused_can_use_its_certificate_at_once(by: timedelta) -> None:
    check_clocks(NOW, {"hub1": by}, {"hub1": NOW})
    assert NOW + by >= NOW - CLOCK_SKEW


@given(seconds=st.integers(0, 10**12 - 1))
def test_any_time_a_host_may_say_is_answered(seconds: int) -> None:
    ahead = timedelta(seconds=seconds - int(NOW.timestamp()))
    if abs(ahead) > TOLERANCE:
        with pytest.raises(StateError, match="hub1"):
            check_clocks(NOW, {"hub1": ahead}, {})
    else:
        check_clocks(NOW, {"hub1": ahead}, {})
