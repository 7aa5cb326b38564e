"""What a ruleset lets in and passes on, in the form in which nft prints it."""

from __future__ import annotations

import json

from vaern.verify import firewall
from vaern.verify.firewall import Opening


def match(protocol: str, field: str, right: object) -> dict[str, object]:
    return {"match": {"op": "==", "left": {"payload": {"protocol": protocol, "field": field}}, "right": right}}


def ruleset(*expressions: list[dict[str, object]], hook: str = "input") -> str:
    chain = {"family": "inet", "table": "t", "name": "c", "type": "filter", "hook": hook, "prio": 0, "policy": "drop"}
    rules = [{"rule": {"family": "inet", "table": "t", "chain": "c", "expr": expression}} for expression in expressions]
    return json.dumps({"nftables": [{"metainfo": {}}, {"chain": chain}, *rules]})


ACCEPT: dict[str, object] = {"accept": None}
ESTABLISHED: dict[str, object] = {
    "match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": ["established", "related"]}
}
LOOPBACK: dict[str, object] = {"match": {"op": "==", "left": {"meta": {"key": "iifname"}}, "right": "lo"}}


def test_openings_have_sources_and_interface() -> None:
    prefix = {"prefix": {"addr": "198.18.0.0", "len": 15}}
    on_lan: dict[str, object] = {"match": {"op": "==", "left": {"meta": {"key": "iifname"}}, "right": "lan"}}
    text = ruleset(
        [ESTABLISHED, ACCEPT],
        [LOOPBACK, ACCEPT],
        [match("tcp", "dport", 22), ACCEPT],
        [on_lan, match("ip", "saddr", {"set": ["198.51.100.2", prefix]}), match("udp", "dport", 514), ACCEPT],
        [match("tcp", "dport", {"range": [8000, 8001]}), ACCEPT],
        [match("tcp", "dport", 25), {"drop": None}],
    )
    found, others = firewall.openings(text)
    assert found == {
        Opening("tcp", 22, ()),
        Opening("udp", 514, ("198.18.0.0/15", "198.51.100.2"), "lan"),
        Opening("tcp", 8000, ()),
        Opening("tcp", 8001, ()),
    }
    assert others == ()


def test_a_rule_that_lets_anybody_in_without_a_port_is_seen() -> None:
    assert len(firewall.openings(ruleset([ACCEPT]))[1]) == 1
    assert len(firewall.openings(ruleset([match("ip", "saddr", "203.0.113.1"), ACCEPT]))[1]) == 1
    assert len(firewall.openings(ruleset([{"jump": {"target": "elsewhere"}}]))[1]) == 1


def test_forwarding_rules_are_seen_and_answers_are_not() -> None:
    assert firewall.forwards(ruleset([ESTABLISHED, ACCEPT], hook="forward")) == ()
    assert len(firewall.forwards(ruleset([ACCEPT], hook="forward"))) == 1


def test_state_new_is_no_answer() -> None:
    new: dict[str, object] = {
        "match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": {"set": ["new", "related"]}}
    }
    assert len(firewall.forwards(ruleset([new, ACCEPT], hook="forward"))) == 1


def test_chains() -> None:
    assert firewall.chains(ruleset()) == {"input of inet t": "drop"}
