"""The national register as the tool knows it."""

from __future__ import annotations

from ipaddress import IPv6Network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaern.model import municipalities, overlay
from vaern.model.vocabulary import Size

CODES = [known.code for known in municipalities.all_known()]


def test_there_are_98_of_them_each_once() -> None:
    known = municipalities.all_known()
    assert len(known) == 98
    for attribute in ("code", "name", "slug"):
        assert len({getattr(one, attribute) for one in known}) == 98
    assert sorted(CODES) == CODES


def test_each_region_has_its_number_of_municipalities() -> None:
    regions = [known.region for known in municipalities.all_known()]
    counted = {region: regions.count(region) for region in regions}
    assert counted == {"1084": 29, "1085": 17, "1083": 22, "1082": 19, "1081": 11}


@pytest.mark.parametrize(
    ("code", "name", "slug", "size"),
    [
        ("0101", "København", "koebenhavn", Size.LARGE),
        ("0169", "Høje-Taastrup", "hoeje-taastrup", Size.MEDIUM),
        ("0400", "Bornholm", "bornholm", Size.MEDIUM),
        ("0492", "Ærø", "aeroe", Size.SMALL),
        ("0665", "Lemvig", "lemvig", Size.SMALL),
        ("0710", "Favrskov", "favrskov", Size.MEDIUM),
        ("0741", "Samsø", "samsoe", Size.SMALL),
        ("0751", "Aarhus", "aarhus", Size.LARGE),
        ("0760", "Ringkøbing-Skjern", "ringkoebing-skjern", Size.MEDIUM),
        ("0825", "Læsø", "laesoe", Size.SMALL),
        ("0860", "Hjørring", "hjoerring", Size.MEDIUM),
    ],
)
def test_one_is_found_by_code_name_and_slug(code: str, name: str, slug: str, size: Size) -> None:
    known = municipalities.by_code(code)
    assert known is not None
    assert known is municipalities.by_name(name) is municipalities.by_slug(slug)
    assert (known.name, known.slug, known.size) == (name, slug, size)


def test_unknown_ones_are_none() -> None:
    assert municipalities.by_code("0000") is None
    assert municipalities.by_name("favrskov") is None
    assert municipalities.by_slug("Favrskov") is None


def test_the_nearest_slug_is_suggested() -> None:
    assert municipalities.nearest_slugs("Samso")[0] == "samsoe"
    assert municipalities.nearest_slugs("xxxxxxxx") == []


@settings(max_examples=40, database=None)
@given(st.text(max_size=60))
def test_a_slug_is_ascii_and_stays_itself(name: str) -> None:
    slug = municipalities.slug_of(name)
    assert slug.isascii()
    assert set(slug) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert municipalities.slug_of(slug) == slug
    assert not slug.startswith("-")


@settings(max_examples=40, database=None)
@given(st.integers(0, 2**40 - 1), st.lists(st.sampled_from(["0000", *CODES]), min_size=2, max_size=2, unique=True))
def test_overlays_of_two_codes_never_overlap(random: int, codes: list[str]) -> None:
    whole = IPv6Network(((0xFD << 120) | (random << 80), 48))
    one, other = (overlay.municipality_prefix(whole, code) for code in codes)
    assert one.subnet_of(whole)
    assert other.subnet_of(whole)
    assert not one.overlaps(other)
