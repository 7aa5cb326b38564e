"""Secrets never survive redaction; what helps to find a fault does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaern.runtime.redaction import HIDDEN, redact

KEY = "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMG\n-----END PRIVATE KEY-----"


@pytest.mark.parametrize(
    "text",
    [
        KEY,
        KEY[:40],
        "preshared_key: s3cr3t=",
        'PresharedKey = "s3cr3t="',
        "PrivateKey=s3cr3t=",
        "'passphrase': 's3cr3t='",
        "Endpoint=sb://x/;SharedAccessKeyName=send;SharedAccessKey=s3cr3t=;EntityPath=a",
    ],
)
def test_secrets_are_hidden(text: str) -> None:
    hidden = redact(text)
    assert "s3cr3t" not in hidden
    assert "MIGHAgEAMBMG" not in hidden
    assert HIDDEN in hidden


def test_public_material_stays() -> None:
    text = "public_key: abc=\n-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----"
    assert redact(text) == text


@given(st.text(alphabet=st.characters(categories=["L", "N"]), min_size=6), st.text())
def test_a_private_key_is_hidden_wherever_it_stands(secret: str, around: str) -> None:
    block = f"-----BEGIN EC PRIVATE KEY-----\n{secret}~~~\n-----END EC PRIVATE KEY-----"
    assert f"{secret}~~~" not in redact(f"{around}{block}")
