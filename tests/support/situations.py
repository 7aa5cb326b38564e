"""Situations of a municipality and the verdict on each: one table, which every output is tested with."""

from __future__ import annotations

from dataclasses import dataclass, replace

from vaern.errors import ExitCode
from vaern.model.finding import Finding, Outcome, Proof, Text
from vaern.model.situation import (
    Balance,
    Certificates,
    Controls,
    Measured,
    NotAsked,
    OpenAlarms,
    PartName,
    Proofs,
    Situation,
    Unknown,
    Validity,
)
from vaern.model.verdict_parts import Level

TIME = "2026-11-24T04:10:00Z"
SILENT = Text("hub1 svarer ikke", "hub1 does not answer")


def finding(control: str, outcome: Outcome = Outcome.PASSED, observed: str = "yes", host: str = "hub1") -> Finding:
    """A finding of Favrskov."""
    return Finding("favrskov", control, host, outcome, "yes", observed, "sshd -T", TIME)


def proof(subject: str, *, seen: bool = True) -> Proof:
    """A proof of Favrskov; one that is lost got to the relay."""
    return Proof("favrskov", subject, f"canary-{subject}", seen, "archive" if seen else "relay", 1.25)


def found(*findings: Finding, named: tuple[str, ...] = ()) -> Measured[Controls]:
    """Controls with those findings."""
    return Measured(TIME, Controls(findings, named))


def seen(*proofs: Proof, untried: tuple[str, ...] = (), time: str = TIME) -> Measured[Proofs]:
    """Those proofs."""
    return Measured(time, Proofs(proofs, untried))


def alarms(*texts: Text, outdated: Text | None = None) -> Measured[OpenAlarms]:
    """Those open alarms."""
    return Measured(TIME, OpenAlarms(texts, outdated))


def counted(balance: Balance) -> Measured[Balance]:
    """That balance of the ledger."""
    return Measured(TIME, balance)


def certificates(
    *ends: str, unread: tuple[str, ...] = (), begins: str = "2026-10-01T00:00:00Z"
) -> Measured[Certificates]:
    """Certificates of one host each, with the times they end."""
    valid = (Validity(f"host{number}", begins, end) for number, end in enumerate(ends, start=1))
    return Measured(TIME, Certificates(tuple(valid), unread))


GOOD = Situation(
    name="Favrskov",
    time=TIME,
    controls=found(finding("BASE-01"), finding("VPN-03", host="favrskov-gw1")),
    proofs=seen(proof("dhcp1"), proof("firewall1")),
    alarms=alarms(),
    ledger=counted(Balance(48_200)),
    certificates=certificates("2026-12-30T00:00:00Z"),
)
NOTHING = Situation("Favrskov", TIME)
FAILED = finding("BASE-05", Outcome.FAILED, "passwordauthentication=yes")
SKIPPED = finding("BASE-11", Outcome.SKIPPED, "a container has no audit trail")
UNSEEN = finding("BASE-02", Outcome.UNKNOWN, "hub1 does not answer")
SILENCE = Text("firewall1 er tavs", "firewall1 is silent")


@dataclass(frozen=True, slots=True)
class Case:
    """A situation and what has to be said of it, in every output."""

    situation: Situation
    level: Level
    says: Text
    """A part of the headline."""
    wrong: int = 0
    """Clauses of each kind."""
    unknown: int = 0
    untried: int = 0

    @property
    def exit_code(self) -> ExitCode:
        """By the level: 0 where what was asked for is right, 9 where a test did not arrive, else 1."""
        if self.level in {Level.GOOD, Level.PARTIAL}:
            return ExitCode.OK
        return ExitCode.PROOF if self.level is Level.BROKEN else ExitCode.FINDINGS


CASES = {
    "everything is measured and right": Case(
        GOOD,
        Level.GOOD,
        Text("overvågningen virker: alle 2 krav er opfyldt", "monitoring works: all 2 demands are met"),
    ),
    "an alarm is open": Case(
        replace(GOOD, alarms=alarms(SILENCE)), Level.ATTENTION, Text("én alarm er åben", "one alarm is open"), wrong=1
    ),
    "events are missing": Case(
        replace(GOOD, ledger=counted(Balance(50_000, missing=48_200))),
        Level.ATTENTION,
        Text("48.200 hændelser mangler i arkivet", "48,200 events are missing in the archive"),
        wrong=1,
    ),
    "events were given up": Case(
        replace(GOOD, ledger=counted(Balance(50_000, given_up=1))),
        Level.ATTENTION,
        Text("én hændelse er gået tabt", "one event was lost in a full spool"),
        wrong=1,
    ),
    "events have gone from the archive": Case(
        replace(GOOD, ledger=counted(Balance(50_000, gone=7))),
        Level.ATTENTION,
        Text("7 hændelser er forsvundet fra arkivet", "7 events have disappeared from the archive"),
        wrong=1,
    ),
    "events are under way": Case(
        replace(GOOD, ledger=counted(Balance(50_000, under_way=9))),
        Level.GOOD,
        Text("ingen hændelse mangler", "no event is missing"),
    ),
    "most events are under way": Case(
        replace(GOOD, ledger=counted(Balance(1_000_000, under_way=999_995))),
        Level.UNKNOWN,
        Text("om 999.995 hændelser på vej når frem", "whether 999,995 events under way arrive"),
        unknown=1,
    ),
    "events were left out of the count": Case(
        replace(GOOD, ledger=counted(Balance(50_000, unlisted=1_000_000))),
        Level.UNKNOWN,
        Text("udeladt af optællingen (1.000.000 poster)", "left out of the count (1,000,000 entries)"),
        unknown=1,
    ),
    "statements were refused": Case(
        replace(GOOD, ledger=counted(Balance(50_000, refused=5000))),
        Level.UNKNOWN,
        Text("hvad 5.000 afviste opgørelser", "what 5,000 refused statements"),
        unknown=1,
    ),
    "the collector does not answer": Case(
        replace(GOOD, alarms=Unknown(SILENT), ledger=Unknown(SILENT)),
        Level.UNKNOWN,
        Text("om alarmer er åbne (hub1 svarer ikke)", "whether alarms are open (hub1 does not answer)"),
        unknown=2,
    ),
    "the alarm service stands still with an alarm open": Case(
        replace(GOOD, alarms=alarms(SILENCE, outdated=Text("tjenesten er standset", "the service has stopped"))),
        Level.ATTENTION,
        Text(
            "én alarm er åben. Vides ikke: om alarmer er åbne", "one alarm is open. Not known: whether alarms are open"
        ),
        wrong=1,
        unknown=1,
    ),
    "the alarm service stands still": Case(
        replace(GOOD, alarms=alarms(outdated=Text("tjenesten er standset", "the service has stopped"))),
        Level.UNKNOWN,
        Text("om alarmer er åbne (tjenesten er standset)", "whether alarms are open (the service has stopped)"),
        unknown=1,
    ),
    "never connected": Case(
        replace(
            NOTHING,
            controls=Unknown(Text("aldrig forbundet", "never connected")),
            proofs=Unknown(Text("aldrig forbundet", "never connected")),
        ),
        Level.NOTHING,
        Text("der er intet resultat", "there is no result"),
        unknown=2,
        untried=3,
    ),
    "nothing was asked": Case(NOTHING, Level.NOTHING, Text("intet resultat", "no result"), untried=5),
    "one control alone": Case(
        replace(NOTHING, controls=found(finding("BASE-01"), named=("BASE-01",))),
        Level.PARTIAL,
        Text(
            "ét krav er opfyldt. Ikke undersøgt: andre krav end BASE-01",
            "one demand is met. Not tried: other demands than BASE-01",
        ),
        untried=5,
    ),
    "one control alone, and it fails": Case(
        replace(NOTHING, controls=found(FAILED, named=("BASE-05",))),
        Level.ATTENTION,
        Text("ét krav er ikke opfyldt", "one demand is not met"),
        wrong=1,
        untried=5,
    ),
    "one control alone, which cannot be tried": Case(
        replace(NOTHING, controls=found(SKIPPED, named=("BASE-11",))),
        Level.NOTHING,
        Text("intet resultat", "no result"),
        untried=6,
    ),
    "a control cannot be tried here": Case(
        replace(GOOD, controls=found(finding("BASE-01"), SKIPPED)),
        Level.PARTIAL,
        Text("ét krav er opfyldt", "one demand is met"),
        untried=1,
    ),
    "a control is met on one host and cannot be tried on another": Case(
        replace(GOOD, controls=found(finding("BASE-11"), replace(SKIPPED, host="favrskov-gw1"), finding("BASE-01"))),
        Level.PARTIAL,
        Text("Ikke undersøgt: ét krav, som ikke kan prøves her", "Not tried: one demand that cannot be tried here"),
        untried=1,
    ),
    "a control is not met": Case(
        replace(GOOD, controls=found(finding("BASE-01"), FAILED, replace(FAILED, host="favrskov-gw1"))),
        Level.ATTENTION,
        Text("Favrskov: ét krav er ikke opfyldt.", "Favrskov: one demand is not met."),
        wrong=1,
    ),
    "a host does not answer": Case(
        replace(GOOD, controls=found(finding("BASE-01"), UNSEEN)),
        Level.UNKNOWN,
        Text("Vides ikke: ét krav, som ikke kunne prøves", "Not known: one demand that could not be tried"),
        unknown=1,
    ),
    "no control was run": Case(
        replace(GOOD, controls=found()),
        Level.UNKNOWN,
        Text("om kravene er opfyldt", "whether the demands are met"),
        unknown=1,
    ),
    "the proof was made before": Case(
        replace(GOOD, proofs=seen(proof("dhcp1"), proof("firewall1"), time="2026-05-01T12:00:00Z")),
        Level.GOOD,
        Text("2 prøver nåede frem den 2026-05-01", "2 tests arrived on 2026-05-01"),
    ),
    "no proof was ever made": Case(
        replace(GOOD, proofs=seen(untried=("dhcp1", "firewall1"))),
        Level.UNKNOWN,
        Text("om hændelser fra dhcp1, firewall1 når frem", "whether events of dhcp1, firewall1 arrive"),
        unknown=1,
    ),
    "a source was declared after the proof": Case(
        replace(GOOD, proofs=seen(proof("dhcp1"), untried=("journal1",))),
        Level.UNKNOWN,
        Text("om hændelser fra journal1 når frem", "whether events of journal1 arrive"),
        unknown=1,
    ),
    "nothing is declared to prove": Case(
        replace(GOOD, proofs=seen()),
        Level.UNKNOWN,
        Text("om kildernes hændelser når frem", "whether the events of the sources arrive"),
        unknown=1,
    ),
    "a test did not arrive": Case(
        replace(GOOD, proofs=seen(proof("dhcp1"), proof("firewall1", seen=False))),
        Level.BROKEN,
        Text("virker ikke helt: én prøve nåede ikke frem", "does not fully work: one test did not arrive"),
        wrong=1,
    ),
    "everything is wrong": Case(
        replace(
            GOOD,
            controls=found(FAILED, SKIPPED, UNSEEN),
            proofs=seen(proof("dhcp1", seen=False)),
            alarms=alarms(SILENCE),
            ledger=counted(Balance(3, missing=1, unstated=("favrskov-gw1",))),
            certificates=certificates("2026-11-24T04:10:00Z", unread=("favrskov-gw1",)),
        ),
        Level.BROKEN,
        Text("én prøve nåede ikke frem; ét krav er ikke opfyldt", "one test did not arrive; one demand is not met"),
        wrong=5,
        unknown=3,
        untried=1,
    ),
    "a relay has stated nothing lately": Case(
        replace(GOOD, ledger=counted(Balance(48_200, unstated=("favrskov-gw1",)))),
        Level.UNKNOWN,
        Text("hvad favrskov-gw1 har sendt for nylig", "what favrskov-gw1 has sent lately"),
        unknown=1,
    ),
    "a day that has not come": Case(
        replace(NOTHING, ledger=counted(Balance(0, day="2031-01-01"))),
        Level.NOTHING,
        Text("(ingen er talt 2031-01-01)", "(none was counted on 2031-01-01)"),
        unknown=1,
        untried=5,
    ),
    "one day of the ledger": Case(
        replace(NOTHING, ledger=counted(Balance(300, day="2026-11-23"))),
        Level.PARTIAL,
        Text("UTC). Ikke undersøgt: kravene", "UTC). Not tried: the demands"),
        untried=5,
    ),
    "no event was ever counted": Case(
        replace(GOOD, ledger=counted(Balance(0))),
        Level.UNKNOWN,
        Text("(ingen er talt)", "(none was counted)"),
        unknown=1,
    ),
    "a certificate has missed its renewal": Case(
        replace(
            GOOD,
            certificates=certificates("2026-12-24T04:09:59Z", "2026-12-30T00:00:00Z", begins="2026-09-25T00:00:00Z"),
        ),
        Level.ATTENTION,
        Text("ét certifikat er ved at udløbe", "one certificate is about to end"),
        wrong=1,
    ),
    "a certificate has ended": Case(
        replace(GOOD, certificates=certificates("2026-11-24T04:10:00Z")),
        Level.ATTENTION,
        Text("ét certifikat er udløbet", "one certificate has ended"),
        wrong=1,
    ),
    "a short certificate is young": Case(
        replace(GOOD, certificates=certificates("2026-11-27T00:00:00Z", begins="2026-11-23T00:00:00Z")),
        Level.GOOD,
        Text("intet certifikat er ved at udløbe", "no certificate is about to end"),
    ),
    "a certificate cannot be read": Case(
        replace(GOOD, certificates=certificates("2026-12-30T00:00:00Z", unread=("favrskov-gw1",))),
        Level.UNKNOWN,
        Text("om certifikatet på favrskov-gw1 udløber", "whether the certificate of favrskov-gw1 ends"),
        unknown=1,
    ),
    "no certificate is recorded": Case(
        replace(GOOD, certificates=certificates()),
        Level.UNKNOWN,
        Text("om certifikater udløber", "whether certificates end"),
        unknown=1,
    ),
    "a certificate is not valid yet": Case(
        replace(GOOD, certificates=certificates("2028-02-28T00:00:00Z", begins="2027-11-30T00:00:00Z")),
        Level.ATTENTION,
        Text("ét certifikat gælder ikke endnu", "one certificate is not valid yet"),
        wrong=1,
    ),
    "the ledger was counted an hour ago": Case(
        replace(GOOD, ledger=Measured("2026-11-24T03:10:00Z", Balance(48_200))),
        Level.UNKNOWN,
        Text(
            "om hændelser mangler (sidst målt 2026-11-24 03:10 UTC)",
            "whether events are missing (last measured 2026-11-24 03:10 UTC)",
        ),
        unknown=1,
    ),
    "the alarms were read an hour ago": Case(
        replace(GOOD, alarms=Measured("2026-11-24T03:10:00Z", OpenAlarms(()))),
        Level.UNKNOWN,
        Text("om alarmer er åbne (sidst målt", "whether alarms are open (last measured"),
        unknown=1,
    ),
    "everything was looked at in a year that has not come": Case(
        replace(GOOD, time="2025-11-24T04:10:00Z", certificates=Measured(TIME, Certificates(()))),
        Level.NOTHING,
        Text("om hændelser mangler (målt 2026-11-24 04:10 UTC", "a clock is wrong"),
        unknown=5,
    ),
    "the clocks of two machines differ by a little": Case(
        replace(GOOD, time="2026-11-24T04:06:00Z"),
        Level.GOOD,
        Text(
            "ingen hændelse mangler (talt 2026-11-24 04:10 UTC)", "no event is missing (counted 2026-11-24 04:10 UTC)"
        ),
    ),
    "looked at too long ago": Case(
        replace(GOOD, time="2026-12-02T04:10:00Z", certificates=NotAsked()),
        Level.UNKNOWN,
        Text(
            "om kravene er opfyldt (sidst målt 2026-11-24 04:10 UTC)",
            "whether the demands are met (last measured 2026-11-24 04:10 UTC)",
        ),
        unknown=3,
        untried=1,
    ),
}
"""Among them the eight in which everything was once said to be right, and none of it was known."""
PARTS = tuple(PartName)
