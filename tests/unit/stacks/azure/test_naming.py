"""Names keep to Azure's rules whatever is declared, differ where they must, and never change by themselves."""

from __future__ import annotations

import re
import string

from hypothesis import given
from hypothesis import strategies as st

from vaern.model.azure import Environment
from vaern.model.municipalities import all_known
from vaern_stacks.azure import naming
from vaern_stacks.azure.naming import Names

WORD = st.from_regex(r"[a-z][a-z0-9-]{0,30}[a-z0-9]", fullmatch=True)
SUBSCRIPTION = st.uuids().map(str)
NAMES = st.builds(Names, deployment=WORD, environment=st.sampled_from(Environment), subscription=SUBSCRIPTION)
RULES = {
    "storage": r"[a-z0-9]{3,24}",
    "vault": r"(?!.*--)[a-z][a-z0-9-]{1,22}[a-z0-9]",
    "namespace": r"[a-z][a-z0-9-]{4,48}[a-z0-9]",
    "label": r"[a-z][a-z0-9-]{1,61}[a-z0-9]",
    "group": r"[A-Za-z0-9_.()-]{0,89}[A-Za-z0-9_()-]",
}


@given(names=NAMES, part=WORD)
def test_every_name_keeps_to_the_rules_of_its_kind(names: Names, part: str) -> None:
    made = {
        "storage": names.storage(part),
        "vault": names.vault(),
        "namespace": names.namespace(part),
        "label": names.label(part),
        "group": names.group(part),
    }
    for kind, name in made.items():
        assert re.fullmatch(RULES[kind], name), (kind, name)


@given(names=NAMES, other=NAMES, part=WORD)
def test_another_deployment_never_has_the_same_global_name(names: Names, other: Names, part: str) -> None:
    same = names == other
    assert (names.storage(part) == other.storage(part)) == same
    assert (names.namespace(part) == other.namespace(part)) == same
    assert (names.vault() == other.vault()) == same


@given(names=NAMES, part=WORD)
def test_a_group_is_never_cut(names: Names, part: str) -> None:
    assert names.group(f"{part}-evidence").endswith(f"{part}-evidence")


def test_no_two_municipalities_share_a_name() -> None:
    names = Names("a" * 32, Environment.PRODUCTION, "00000000-0000-4000-8000-000000000001")
    slugs = [known.slug for known in all_known()]
    for make in (names.storage, names.namespace, names.group):
        assert len({make(slug) for slug in slugs}) == len(slugs) == 98


def test_names_are_what_they_were() -> None:
    """A name that changes makes Azure delete one resource and create another."""
    names = Names("faelles", Environment.PRODUCTION, "00000000-0000-4000-8000-000000000001")
    assert names.namespace("favrskov") == "evh-faelles-prod-favrskov-6n4ixr75"
    assert names.storage("favrskov") == "stfavrskov5xfml3ql"
    assert names.vault() == "kv-faelles-prod-ddqban3g"
    assert naming.stream_hub("logs", "0710") == "logs.0710"
    assert naming.stream_container("logs", "0710") == "logs-0710"


@given(words=st.lists(st.text(string.ascii_letters, min_size=1), min_size=3, max_size=3))
def test_an_assignment_is_named_by_who_may_do_what_where(words: list[str]) -> None:
    scope, principal, role = words
    name = naming.assignment(scope, principal, role)
    assert name == naming.assignment(scope, principal, role)
    assert name != naming.assignment(f"{scope}/deeper", principal, role)
    assert re.fullmatch(r"[0-9a-f-]{36}", name)
