"""Makes cpr.jsonl: lines as municipal systems write them, with numbers that are nobody's. See README.md.

python tests/corpus/make_cpr.py > tests/corpus/cpr.jsonl
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterator
from typing import Any

# Lines of logs are as long as they are.
# ruff: noqa: E501
SEED = 20261124
DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
EACH = 6
"""Lines of each template."""

CONTEXTS = {
    "journal system": [
        "<134>1 2026-11-24T09:14:02Z journal1 EPJ 4412 LOGIN - bruger=ahs patient={d}-{l} handling=opslag",
        "Nov 24 09:14:02 journal1 epj[4412]: opslag på {d}-{l} af læge DKR i afsnit B3",
        'Nov 24 09:14:03 journal1 epj: {{"user":"ahs","cpr":"{d}{l}","action":"read"}}',
        'Nov 24 09:14:03 journal1 epj: {{"cpr":"{d}\\u2011{l}","note":"overført"}}',
        "MSH|^~\\&|EPJ|RH|LAB|RH|20261124091402||ADT^A01|883201|P|2.5 PID|1||{d}{l}^^^CPR||TEST^PERSON",
        "LIN+1+{d}{l}:CPR' UNH+0091+MEDDIS:D:93A:UN'",
    ],
    "address of a page": [
        '10.0.0.5 - - [24/Nov/2026:09:14:02 +0100] "GET /borger?cpr={d}{l}&fane=2 HTTP/1.1" 200 5120',
        '10.0.0.5 - - [24/Nov/2026:09:14:02 +0100] "GET /borger/{d}-{l}/sager HTTP/1.1" 200 812',
        "GET /find?q=navn%20{d}%2D{l}%20aktiv HTTP/1.1 referer=https://esdh.example/",
        "GET /find?q=%22{d}{l}%22 HTTP/1.1",
        "GET /find?q={d}%20{l} HTTP/1.1",
        "redirect=https%3A%2F%2Fsb.example%2Fp%2F{d}%252D{l}%3Fv%3D1",
        "GET /opslag?nr={d}+{l} HTTP/1.1",
        "GET /opslag?nr={d}%E2%80%93{l} HTTP/1.1",
    ],
    "database": [
        "db2 audit: SELECT * FROM BORGER WHERE CPRNR='{d}{l}' AND STATUS='A' rows=1",
        "pg: UPDATE sag SET cpr='{d}-{l}' WHERE id=88120 duration: 4.2 ms",
        "ORA-00001: unique constraint (KMD.PK_PERSON) violated: ({d}{l}, 'T')",
        "INSERT INTO ydelse VALUES ({d}{l},'2026-11-24',1200.00)",
    ],
    "mail": [
        "postfix/cleanup[991]: 4F2A1: warning: header Subject: Vedr. {d}-{l}, indstilling from=<a@b.example>",
        "exchange: MessageSubject=SV: Borger {d} {l} - akut; Recipients=jobcenter@kommune.example",
        "dlp: attachment 'Afgørelse {d}-{l}.pdf' quarantined",
        "Subject: =?utf-8?Q?Sag_{d}-{l}?= size=4412",
        "body preview: Kære borger ({d} - {l}), hermed fremsendes",
    ],
    "file": [
        "smbd: ahs|10.0.0.5|open|ok|r|Sager/2026/{d}-{l}_afgoerelse.docx",
        "fileserver: delete D:\\Borgere\\{d}{l}\\journal.pdf by KOMMUNE\\ahs",
        "backup: skipped 'p{d}{l}.xml' (locked)",
        "sftp: put /ind/laen_{d}{l}_v2.csv 2211 bytes",
    ],
    "odd separator": [
        "esdh: import af {d}\u2013{l} fra Word",
        "esdh: import af {d}\u00a0{l} fra webside",
        "esdh: import af {d}\u2011{l} fra PDF",
        "esdh: html <td>{d}&nbsp;{l}</td>",
        "esdh: html <td>{d}&ndash;{l}</td>",
        "esdh: html <td>{d}&#45;{l}</td>",
        "esdh: minus {d}\u2212{l} fra regneark",
        "esdh: blødt \u00ad{d}\u00ad{l} i løbende tekst",
    ],
    "closely set": [
        "ids,{d}{l},{d2}{l2},end",
        "key={d}{l};other=[{d2}-{l2}]",
        "CPR:{d}{l}.",
        "tlf:12345678cpr:{d}{l}navn:T",
        "x{d}{l}y _{d}{l}_ <{d}-{l}>",
        "#012{d}{l}#015",
    ],
}
BEYOND = {
    "dots": ["esdh: dato.født {d}.{l}"],
    "date apart": ["esdh: født {a} {b} {c} {l}", "esdh: født {a}.{b}.{c}-{l}"],
    "underscore": ["scan_{d}_{l}.pdf"],
    "slash": ["/sager/{d}/{l}/bilag"],
    "run together": ["EAN5790{d}{l}", "rec=0001{d}{l}0000"],
}
LOOK_ALIKES = {
    "telephone": ["call from +45{n8} to 0045{m8}", "tlf. {n2} {m2} {n2} {m2}", "sms +46{n9} delivered"],
    "order number": ["ordre {n10} oprettet", "faktura nr. {n9} betalt", "bilag {n11}", "PO-{n10}/A"],
    "counter": ["fortigate: sessionid={n10} action=accept", "fortigate: rcvdbyte={n10} sentbyte={m10}", "ifInOctets {n10}"],
    "time": ["epoch={unix} ok", "stamp=20261124091402", "took {n2}.{n10} s", "ts=1764{n9} ms", "at 2026-11-24 09:14"],
    "compact time": ["log-261124-0914.gz", "job 2611240914 done", "backup 241126 0914"],
    "address": ["src=10.11.12.13 dst=192.168.10.11:44312", "mac 01:02:03:12:34:56", "fe80::0102:0312:34ff:fe56:7890"],
    "account": ["IBAN DK50{n2}{n10}{m2}", "IBAN DK50 0040 0440 1162 43", "reg. 0400 konto {n10}"],
    "goods": ["EAN 57{n11}", "GTIN 0{n13}", "ISBN 978-87-{n2}-{m2}345-6"],
    "identifier": ["guid {g8}-{g4}-{h4}-{g4}-{g12}", "sha256={g32}{g32}", "trace={g16} span={g16}", "S-1-5-21-{n10}-{m10}-{o10}-1104"],
    "version": ["kernel 6.12.{n2}-{m2}", "build 10.0.19045.{n4}", "sid:{n7}; rev:3;"],
    "no date": ["nr {bad}-{l}", "nr {bad}{l}", "nr 290245-5{l3}", "nr 310445-{l}", "nr 001245-{l}", "nr 290200-1{l3}"],
    "too long": ["nr 1{d}{l}", "nr {d}{l}9", "nr {d}-{l}7", "kort 4571{d}{l}00"],
}  # fmt: skip

# Lines that came later are drawn apart, so that those before stay as they were published.
EIGHTEENTH = {
    "born on the 18th": [
        'epj: {{"time":"2026-11-24T09:14:02Z","ts":1795511642,"cpr":"{e}{l}"}}',
        "scanner: saved /ind/{e}{l}.001",
        "booking: ny time: {e}{l} kl. 10.15",
        "epj: time=09:14:02 cpr={e}{l} ok",
        "epj: ts={e}-{l} læst",
        "fileserver: open p{e}{l}.123456789012.pdf",
    ],
}
MARKED_TIMES = {
    "time of 2027": [
        "date=2027-03-18 eventtime={e}{l} tz=+0100 type=traffic",
        'zscaler: {{"epochtime":"{e}{l}","login":"t@kommune.example"}}',
        '{{"ts":{e}{l}.{n9},"uid":"C4J4Th3PJpwUYZZ6gc"}}',
        "audit[1]: type=SYSCALL msg=audit({e}{l}.123:456): arch=c000003e",
        "(squid-1): {e}{l}.123    145 10.10.0.5 TCP_TUNNEL/200 3954 CONNECT",
        'json: {{\\"timestamp\\": {e}{l}, \\"level\\": 3}}',
        "epoch {e}{l}; lease ends",
        "probe time={e}{l} ok",
    ],
    "unmarked time of 2027": ["job {e}{l} done"],
}

FRACTIONS = {
    "microseconds": [
        '{{"timestamp":"2026-11-27T04:10:00.{f}+{z}","event_type":"alert","src_ip":"10.0.0.5"}}',
        "2026-11-27T04:10:00.{f}-{z} app[1]: ready",
        "2026-11-27 04:10:00.{f} +{z} [INFO] ready",
        "[Fri Nov 27 04:10:00.{f} {y}] [core:notice] [pid 1204] AH00094: Command line",
    ],
}
"""Of a time of day, drawn so that each reads as a date."""


def number(chance: random.Random) -> tuple[str, str]:
    """Six and four digits of somebody born from 2040 on, half of them as a replacement number (the day is 60 higher)."""
    month = chance.randint(1, 12)
    day = chance.randint(1, DAYS[month - 1]) + chance.choice((0, 60))
    return f"{day:02}{month:02}{chance.randint(40, 57)}", f"{chance.randint(5, 8)}{chance.randint(0, 999):03}"


def looks_right(digits: str) -> bool:
    """Whether ten digits drawn by chance begin with a date."""
    day, month = int(digits[:2]) % 60, int(digits[2:4])
    return int(digits[:2]) < 92 and 1 <= month <= 12 and 1 <= day <= DAYS[month - 1]


def is_nobodys(digits: str) -> bool:
    """Born from 2040 on (the seventh digit says so), or issued with a check digit and without a right one.

    Numbers without a right check digit are issued for some dates of birth since 1960 only.
    """
    if digits[6] in "5678" and 40 <= int(digits[4:6]) <= 57:
        return True
    weighed = sum(int(digit) * weight for digit, weight in zip(digits, (4, 3, 2, 7, 6, 5, 4, 3, 2, 1), strict=True))
    return digits[6] in "0123" and int(digits[4:6]) < 60 and weighed % 11 != 0


def drawn(chance: random.Random, length: int) -> str:
    """A number of so many digits; one that could be somebody's is moved to the years from 2040 on."""
    digits = str(chance.randint(10 ** (length - 1), 10**length - 1))
    if length == 10 and looks_right(digits):
        digits = f"{digits[:4]}{chance.randint(40, 57)}{chance.randint(5, 8)}{digits[7:]}"
    return digits


def values(chance: random.Random) -> dict[str, str]:
    """What the templates are filled with."""
    (first, last), (second, after) = number(chance), number(chance)
    filled = {"d": first, "l": last, "d2": second, "l2": after, "l3": last[1:]}
    filled |= {"a": first[:2], "b": first[2:4], "c": first[4:], "bad": f"{chance.randint(32, 60)}{first[2:]}"}
    for letter in "nmo":
        for length in (2, 4, 7, 8, 9, 10, 11, 13):
            filled[f"{letter}{length}"] = drawn(chance, length)
    for letter in "gh":
        for length in (4, 8, 12, 16, 32):
            filled[f"{letter}{length}"] = f"{chance.getrandbits(4 * length):0{length}x}"
    return filled | {"unix": str(chance.randint(1_700_000_000, 1_798_761_599))}


def corpus() -> Iterator[dict[str, Any]]:
    """One row a line. `clean` is what must be left when `[CPR]` is put in place of every number."""
    chance = random.Random(SEED)  # noqa: S311 - repeatable, and nothing secret
    for group, contexts in (("number", CONTEXTS), ("beyond", BEYOND), ("look-alike", LOOK_ALIKES)):
        for kind, templates in contexts.items():
            for template in templates:
                for _ in range(EACH if group != "beyond" else 2):
                    yield row(group, kind, template, values(chance))
    later = random.Random(SEED + 1)  # noqa: S311
    for group, contexts in (("number", EIGHTEENTH), ("look-alike", MARKED_TIMES)):
        for kind, templates in contexts.items():
            for template in templates * EACH:
                eighteenth = f"18{later.randint(1, 12):02}{later.randint(40, 57)}"
                yield row(group, kind, template, values(later) | {"e": eighteenth})
    latest = random.Random(SEED + 2)  # noqa: S311
    for kind, templates in FRACTIONS.items():
        for template in templates * EACH:
            yield row("look-alike", kind, template, fraction(latest))


def fraction(chance: random.Random) -> dict[str, str]:
    """Six digits that are a date, and a zone and a year that make nobody's number of them."""
    while True:
        date, zone = number(chance)[0], f"0{chance.randint(0, 9)}{chance.choice(('00', '30'))}"
        if is_nobodys(f"{date}{zone}") and is_nobodys(f"{date}2026"):
            return {"f": date, "z": zone, "y": "2026"}


def row(group: str, kind: str, template: str, filled: dict[str, str]) -> dict[str, Any]:
    """Text and what it should be: the two parts of a number and what stands between them become one mark."""
    text = template.format(**filled)
    clean, numbers = text, 0
    if group != "look-alike":
        for first, last in (("d", "l"), ("d2", "l2"), ("a", "l"), ("e", "l")):
            start = f"{{{first}}}"
            while (place := template.find(start)) >= 0:
                end = template.index(f"{{{last}}}", place) + len(last) + 2
                template, numbers = template[:place] + "[CPR]" + template[end:], numbers + 1
        clean = template.format(**filled)
    return {"group": group, "kind": kind, "text": text, "numbers": numbers, "clean": clean}


if __name__ == "__main__":
    for line in corpus():
        sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
