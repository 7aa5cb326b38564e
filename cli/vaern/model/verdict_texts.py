"""The words of the verdict in Danish and English: clauses without capital letter and full stop, to be joined."""

from __future__ import annotations

from dataclasses import dataclass

from vaern.model.finding import Text
from vaern.model.situation import PartName


@dataclass(frozen=True, slots=True)
class Counted:
    """A clause about a number of things: of one, and of several, where `{n}` is the number."""

    one: Text
    many: Text

    def of(self, number: int) -> Text:
        """The clause for that number, with the thousands set apart as each language does."""
        if number == 1:
            return self.one
        return Text(self.many.da.format(n=f"{number:,}".replace(",", ".")), self.many.en.format(n=f"{number:,}"))


UNTRIED = {
    PartName.CONTROLS: Text("kravene", "the demands"),
    PartName.PROOFS: Text("prøver fra kilderne", "tests from the sources"),
    PartName.ALARMS: Text("alarmer", "alarms"),
    PartName.LEDGER: Text("om hændelser mangler", "whether events are missing"),
    PartName.CERTIFICATES: Text("certifikater", "certificates"),
}
"""What was not asked for."""
UNKNOWN = {
    PartName.CONTROLS: Text("om kravene er opfyldt", "whether the demands are met"),
    PartName.PROOFS: Text("om kildernes hændelser når frem", "whether the events of the sources arrive"),
    PartName.ALARMS: Text("om alarmer er åbne", "whether alarms are open"),
    PartName.LEDGER: Text("om hændelser mangler", "whether events are missing"),
    PartName.CERTIFICATES: Text("om certifikater udløber", "whether certificates end"),
}
"""What could not be measured; its reason follows in brackets."""

FAILED = Counted(
    Text("ét krav er ikke opfyldt", "one demand is not met"),
    Text("{n} krav er ikke opfyldt", "{n} demands are not met"),
)
UNSEEN = Counted(
    Text("ét krav, som ikke kunne prøves", "one demand that could not be tried"),
    Text("{n} krav, som ikke kunne prøves", "{n} demands that could not be tried"),
)
SKIPPED = Counted(
    Text("ét krav, som ikke kan prøves her", "one demand that cannot be tried here"),
    Text("{n} krav, som ikke kan prøves her", "{n} demands that cannot be tried here"),
)
MET = Counted(Text("ét krav er opfyldt", "one demand is met"), Text("{n} krav er opfyldt", "{n} demands are met"))
ALL_MET = Counted(
    Text("det ene krav er opfyldt", "the one demand is met"),
    Text("alle {n} krav er opfyldt", "all {n} demands are met"),
)
LOST = Counted(
    Text("én prøve nåede ikke frem", "one test did not arrive"),
    Text("{n} prøver nåede ikke frem", "{n} tests did not arrive"),
)
ARRIVED = Counted(Text("én prøve nåede frem", "one test arrived"), Text("{n} prøver nåede frem", "{n} tests arrived"))
OPEN = Counted(Text("én alarm er åben", "one alarm is open"), Text("{n} alarmer er åbne", "{n} alarms are open"))
NO_ALARM = Text("ingen alarm er åben", "no alarm is open")
MISSING = Counted(
    Text("én hændelse mangler i arkivet", "one event is missing in the archive"),
    Text("{n} hændelser mangler i arkivet", "{n} events are missing in the archive"),
)
GIVEN_UP = Counted(
    Text("én hændelse er gået tabt i et fuldt bufferlager", "one event was lost in a full spool"),
    Text("{n} hændelser er gået tabt i et fuldt bufferlager", "{n} events were lost in a full spool"),
)
GONE = Counted(
    Text("én hændelse er forsvundet fra arkivet", "one event has disappeared from the archive"),
    Text("{n} hændelser er forsvundet fra arkivet", "{n} events have disappeared from the archive"),
)
ALL_ARRIVED = Text("ingen hændelse mangler", "no event is missing")
COUNTED_ARRIVED = Text("ingen talt hændelse mangler", "no event that was counted is missing")
UNLISTED = Counted(
    Text("hvad der blev udeladt af optællingen (én post)", "what was left out of the count (one entry)"),
    Text("hvad der blev udeladt af optællingen ({n} poster)", "what was left out of the count ({n} entries)"),
)
REFUSED = Counted(
    Text("hvad én afvist opgørelse fra en logindsamler siger", "what one refused statement of a relay says"),
    Text("hvad {n} afviste opgørelser fra logindsamlere siger", "what {n} refused statements of relays say"),
)
UNDER_WAY = Counted(
    Text("om én hændelse på vej når frem", "whether one event under way arrives"),
    Text("om {n} hændelser på vej når frem", "whether {n} events under way arrive"),
)
"""Of these more are under way than have arrived."""
NOT_YET = Counted(
    Text("ét certifikat gælder ikke endnu", "one certificate is not valid yet"),
    Text("{n} certifikater gælder ikke endnu", "{n} certificates are not valid yet"),
)
ENDED = Counted(
    Text("ét certifikat er udløbet", "one certificate has ended"),
    Text("{n} certifikater er udløbet", "{n} certificates have ended"),
)
ENDING = Counted(
    Text("ét certifikat er ved at udløbe", "one certificate is about to end"),
    Text("{n} certifikater er ved at udløbe", "{n} certificates are about to end"),
)
ALL_VALID = Text("intet certifikat er ved at udløbe", "no certificate is about to end")
LEGS = {
    "device": Text("ved kilden", "at the source"),
    "relay": Text("i kommunens logindsamler", "at the municipality's relay"),
    "sensor": Text("på kommunens sensor", "at the municipality's sensor"),
    "collector": Text("hos modtageren", "at the receiver"),
    "archive": Text("i arkivet", "in the archive"),
}
"""Where a test was last seen."""


def leg(name: str) -> Text:
    """A leg in words; one that is not known by itself."""
    return LEGS.get(name, Text(name, name))


def only(named: tuple[str, ...]) -> Text:
    """What is not tried when only those controls are."""
    ids = ", ".join(named)
    return Text(f"andre krav end {ids}", f"other demands than {ids}")


def other_days(day: str) -> Text:
    """What is not counted when only that day is."""
    return Text(f"andre dage end {day}", f"other days than {day}")


def of_sources(names: tuple[str, ...]) -> Text:
    """What is unknown about sources that were never tried."""
    which = ", ".join(names)
    return Text(f"om hændelser fra {which} når frem", f"whether events of {which} arrive")


def unstated(relays: tuple[str, ...]) -> Text:
    """What is unknown about relays that are silent."""
    which = ", ".join(relays)
    return Text(f"hvad {which} har sendt for nylig", f"what {which} has sent lately")


def nothing_counted(day: str) -> Text:
    """What is unknown where no event was counted."""
    if day:
        return Text(
            f"om hændelser mangler (ingen er talt {day})", f"whether events are missing (none was counted on {day})"
        )
    return Text("om hændelser mangler (ingen er talt)", "whether events are missing (none was counted)")


def unread(hosts: tuple[str, ...]) -> Text:
    """What is unknown about hosts whose certificate cannot be read."""
    which = ", ".join(hosts)
    return Text(f"om certifikatet på {which} udløber", f"whether the certificate of {which} ends")


def counted_at(clause: Text, time: str) -> Text:
    """A clause about events with the time they were counted."""
    return Text(f"{clause.da} (talt {_moment(time)})", f"{clause.en} (counted {_moment(time)})")


def outdated(time: str) -> Text:
    """Why an old measurement says nothing about now."""
    return Text(f"sidst målt {_moment(time)}", f"last measured {_moment(time)}")


def in_the_future(time: str) -> Text:
    """Why a measurement with a time that has not come says nothing."""
    at = _moment(time)
    return Text(
        f"målt {at}, som ikke er kommet endnu: et ur går forkert",
        f"measured {at}, which has not come yet: a clock is wrong",
    )


def _moment(time: str) -> str:
    """UTC to the minute, of a time in RFC 3339."""
    return f"{time[:10]} {time[11:16]} UTC"
