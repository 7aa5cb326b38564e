"""Turns pydantic's errors into messages for the person who wrote the file: what is there, and what to write instead."""

from __future__ import annotations

import difflib
import functools
import json
import operator
import types
import typing
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from vaern.declaration.document import MAX_PROBLEMS, Document, Key, bounded, clipped
from vaern.declaration.reading import BOOLEAN_WORDS
from vaern.errors import DeclarationError, Problem
from vaern.model import advisory, azure, notify, vocabulary
from vaern.model.municipalities import slug_of

if typing.TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_Model = TypeVar("_Model", bound=BaseModel)

_WANTED = {
    "int_type": "a whole number without quotes",
    "int_from_float": "a whole number",
    "float_type": "a number without quotes",
    "bool_type": "true or false, without quotes",
    "model_type": "keys of its own on the lines below it, indented",
    "dict_type": "keys of its own on the lines below it, indented",
    "tuple_type": "a list: each item on a line of its own that starts with `- `",
}
_ADDRESSES: dict[Any, str] = {
    IPv4Address: "an IPv4 address such as 198.51.100.10",
    IPv6Address: "an IPv6 address such as 2001:db8::10",
    vocabulary.IpAddress: "an IP address such as 198.51.100.10 or 2001:db8::10",
    IPv4Network: "an IPv4 network such as 198.51.100.0/24",
    IPv6Network: "an IPv6 network such as fd12:3456:789a::/48",
    vocabulary.IpNetwork: "an IP network such as 198.51.100.0/24 or 2001:db8:1::/64",
}
_WEB_URL = (
    "an address that begins with https://, without user, password and `#`, its name in a-z or punycode,"
    " such as https://hooks.favrskov.example/vaern"
)
_RULES: tuple[tuple[Any, str], ...] = (
    (vocabulary.Name, "2 to 32 of a-z, 0-9 and hyphen, starting with a letter, not ending with a hyphen"),
    (vocabulary.Code, 'four digits in quotes, such as "0710"'),
    (vocabulary.Email, "a mail address such as it@favrskov.example"),
    (vocabulary.MailAddress, "a mail address of letters, digits, `.`, `_`, `+` and `-`, such as it@favrskov.example"),
    (vocabulary.WebUrl, _WEB_URL),
    (vocabulary.TimeOfDay, "a time of the day from 00:00 to 23:59, such as 07:00"),
    (vocabulary.Interface, "an interface name such as eth1: at most 15 letters, digits, `_`, `.` or `-`"),
    (vocabulary.HostName, "a DNS name or an address, without a port"),
    (vocabulary.DnsName, "a full DNS name of letters a-z, digits, `-` and dots, such as printer7.favrskov.lan"),
    (vocabulary.Pem, "one certificate (PEM), all its lines below `|`, from -----BEGIN CERTIFICATE----- on"),
    (notify.MailLogin, "a name without spaces, braces or invisible characters"),
    (vocabulary.DeviceName, "a name or an address as the device writes it: letters, digits, `.`, `-`, `_`, `:`"),
    (vocabulary.ProgramName, "a program as the device writes it, without its number: letters, digits, `_./()-`"),
    (vocabulary.Login, "a login name of at most 32 letters a-z, digits, `_` or `-`"),
    (vocabulary.Phone, 'digits and spaces in quotes, such as "+45 12 34 56 78"'),
    (vocabulary.Title, "one line of text without braces or invisible characters"),
    (advisory.AdvisoryId, "1 to 80 letters, digits, `.`, `_` or `-`, such as SOC-2026-0042"),
    (advisory.Line, "one line of text without invisible characters"),
    (advisory.Time, "a time in UTC such as 2026-11-24T08:00:00Z"),
    (azure.Uuid, "an identifier such as 00000000-0000-4000-8000-000000000710, in small letters"),
    (azure.Location, "a region as Azure names it, such as denmarkeast"),
    (azure.Tag, "one line of text without braces, `<>%&\\?` or invisible characters"),
    (azure.Image, "publisher:offer:sku:version, such as Debian:debian-13:13-gen2:latest"),
    (azure.ResourceGroup, "a resource group: 1 to 90 letters, digits and `_.()-`"),
    (azure.VmSize, "a size as Azure names it, such as Standard_D2s_v5"),
    (azure.SshKey, "a public key on one line, such as ssh-ed25519 AAAA... name"),
    (azure.Backend, "an address such as azblob://container, s3://bucket or file:///folder"),
    (azure.SecretsProvider, "azurekeyvault://VAULT/keys/KEY, awskms://KEY or passphrase"),
)
_RENAMED: dict[Key, str] = {
    ("privacy", "cpr_masking"): "write `cpr: mask` instead of true, `cpr: keep` instead of false, or `cpr: hash`",
}
_DNS_NAME: str = typing.get_args(vocabulary.DnsName)[1].pattern
_RULE_OF_PATTERN: dict[str, str] = {typing.get_args(kind)[1].pattern: rule for kind, rule in _RULES}


def validated(document: Document, model: type[_Model]) -> _Model:
    """The document's values as that model. Raises DeclarationError with every fault of reading and of the model."""
    found: _Model | None = None
    problems = list(document.problems)
    try:
        problems += [*_nothing_written(document), *_no_certificates(document)]
        found = model.model_validate_json(json.dumps(document.values), strict=True)
    except ValidationError as error:
        places = {(problem.line, problem.key) for problem in problems}
        for detail in _causes(error.errors(include_url=False))[: 10 * MAX_PROBLEMS]:
            problem = explain(document, model, detail)
            if (problem.line, problem.key) not in places:
                places.add((problem.line, problem.key))
                problems.append(problem)
    if problems or found is None:
        raise DeclarationError(bounded(problems))
    return found


def _nothing_written(document: Document) -> list[Problem]:
    """Keys of `notify:` behind which nothing is: somebody who wrote one believes that somebody is told."""
    empty = [key for key, text in document.texts.items() if key[:1] == ("notify",) and not text.strip()]
    fix = "write what belongs there, or remove the line"
    return [document.problem(key, f"nothing is written behind `{key[-1]}:`", fix) for key in empty]


def _no_certificates(document: Document) -> list[Problem]:
    """What is written as a certificate and is none: whoever trusts it would refuse it, later and elsewhere."""
    written = {key: text for key, text in document.texts.items() if text.startswith("-----BEGIN CERTIFICATE-----\n")}
    fix = "write the certificate again, all its lines as the authority or device gave them"
    return [document.problem(key, "this is no certificate", fix) for key, text in written.items() if not _loads(text)]


def _loads(certificate: str) -> bool:
    from cryptography.x509 import load_pem_x509_certificate

    try:
        load_pem_x509_certificate(certificate.encode())
    except ValueError:
        return False
    return True


def _causes(details: list[ErrorDetails]) -> list[ErrorDetails]:
    """Leave out `too short` for lists that are so only because one of their items is wrong."""
    below = {detail["loc"][:depth] for detail in details for depth in range(1, len(detail["loc"]))}
    return [detail for detail in details if detail["type"] != "too_short" or detail["loc"] not in below]


def explain(document: Document, model: type[BaseModel], detail: ErrorDetails) -> Problem:
    """One pydantic error as a fault at its line."""
    key: Key = tuple(part for part in detail["loc"] if part != "[key]")
    kind = detail["type"]
    if kind != "missing" and key not in document.lines:
        key = key[:-1]  # the last part names a member of a union, not a key
    if kind == "extra_forbidden":
        return _unknown_key(document, model, key)
    if kind == "missing":
        fix = f"add `{key[-1]}:` here. {_description(model, key)}".strip()
        return document.problem(key, f"`{key[-1]}` is missing", fix, document.line(key[:-1]))
    if (address := kind_at(model, key)) in _ADDRESSES:
        return _wrong_address(document, key, detail, _ADDRESSES[address])
    return document.problem(key, *_wrong_value(document, key, detail))


def _wrong_value(document: Document, key: Key, detail: ErrorDetails) -> tuple[str, str]:
    """What is wrong with a value, and what to write instead."""
    kind, context = detail["type"], detail.get("ctx", {})
    of_key = detail["loc"][-1] == "[key]"
    shown = f"`{clipped(str(key[-1]))}`" if of_key else _shown_value(document, key, detail.get("input"))
    reason = detail["msg"].removeprefix("Input should ").removeprefix("String should ")
    found, fix = f"{shown} is not allowed here", f"it should {reason}"
    match kind:
        case "enum":
            found, fix = f"{shown} is not one of the choices", _choices(context["expected"], shown)
        case "string_pattern_mismatch":
            found, fix = f"{shown} has the wrong form", _pattern_fix(context["pattern"], shown)
        case "string_type":
            found, fix = f"{shown} is not a text", _text_fix(document, key)
        case "too_short":
            found, fix = f"{context['actual_length']} given", f"give at least {context['min_length']}"
        case "too_long":
            found, fix = f"more than {context['max_length']} given", f"give at most {context['max_length']}"
        case _ if kind in _WANTED:
            fix = f"write {_WANTED[kind]}"
    return found, fix


def _shown_value(document: Document, key: Key, value: object) -> str:
    """The value at that key, as it is written in the file."""
    if value is None and not document.texts.get(key):
        return "nothing"
    if isinstance(value, dict):
        return "a group of keys"
    if isinstance(value, list):
        return "a list"
    return f"`{clipped(document.texts.get(key, str(value)))}`"


def _unknown_key(document: Document, model: type[BaseModel], key: Key) -> Problem:
    around = model_at(model, key[:-1])
    allowed = list(around.model_fields) if around else []
    near = difflib.get_close_matches(str(key[-1]), allowed, n=1)
    if key in _RENAMED:
        return document.problem(key, f"`{key[-1]}` has been replaced by another key", _RENAMED[key])
    fix = f"did you mean `{near[0]}`?" if near else f"remove it; the keys here are {', '.join(allowed)}"
    return document.problem(key, f"unknown key `{clipped(str(key[-1]))}`", fix)


def kind_at(model: type[BaseModel], key: Key) -> Any:
    """The type of the value at that key, following models, lists and mappings; None for an unknown key."""
    kind: Any = model
    for part in key:
        if _is_model(kind):
            field = kind.model_fields.get(str(part))
            kind = _bare(field.annotation) if field else None
        else:
            inner = [argument for argument in typing.get_args(kind) if argument is not Ellipsis]
            kind = _bare(inner[-1]) if inner else None
    return kind


def model_at(model: type[BaseModel], key: Key) -> type[BaseModel] | None:
    """The model of the value at that key; None when it is not a model."""
    kind = kind_at(model, key)
    return kind if _is_model(kind) else None


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _bare(annotation: Any) -> Any:
    """The annotation without Annotated and without `| None`; what is left may be a union of addresses."""
    while typing.get_origin(annotation) is typing.Annotated:
        annotation = typing.get_args(annotation)[0]
    if isinstance(annotation, types.UnionType) and types.NoneType in typing.get_args(annotation):
        several = [one for one in typing.get_args(annotation) if one is not types.NoneType]
        annotation = functools.reduce(operator.or_, several)
    return annotation


def _description(model: type[BaseModel], key: Key) -> str:
    around = model_at(model, key[:-1])
    field = around.model_fields.get(str(key[-1])) if around else None
    return (field.description or "") if field else ""


def _choices(expected: str, shown: str) -> str:
    """`expected` is pydantic's list: 'a', 'b' or 'c'."""
    choices = [word for word in expected.split("'") if word.isidentifier() and word != "or"]
    near = difflib.get_close_matches(shown.strip("`").lower(), choices, n=1)
    return f"did you mean `{near[0]}`?" if near else f"write one of {', '.join(choices) or expected}"


def _pattern_fix(pattern: str, shown: str) -> str:
    rule = _RULE_OF_PATTERN.get(pattern, f"something that matches {pattern}")
    if rule == _RULES[0][1] and (slug := slug_of(shown)) and len(slug) > 1 and slug[0].isalpha():
        return f"write `{slug[:32].strip('-')}`: {rule}"
    if pattern == _DNS_NAME and not shown.isascii() and (plain := _punycode(shown.strip("`"))):
        return f"write `{plain}`: that is how the DNS has it"
    return f"write {rule}"


def _punycode(name: str) -> str:
    """A name with other letters than a-z as the DNS has it; empty when it cannot be written so."""
    try:
        return name.encode("idna").decode("ascii")
    except UnicodeError:
        return ""


def _text_fix(document: Document, key: Key) -> str:
    text = document.texts.get(key)
    if text and key == ("code",):
        return f'write four digits in quotes: "{clipped(text.zfill(4))}"'
    if text is None:
        return "write a text on the same line"
    if text == "":
        return "write a text after the colon"
    meant = " (unquoted, YAML reads it as true or false)" if text.lower() in BOOLEAN_WORDS else ""
    return f'put it in quotes: "{clipped(text)}"{meant}'


def _wrong_address(document: Document, key: Key, detail: ErrorDetails, wanted: str) -> Problem:
    """Suggest the network that an address with host bits lies in."""
    shown = _shown_value(document, key, detail.get("input"))
    fix = f"write {wanted}"
    if "host bits" in detail["msg"]:
        fix = f"write {ip_network(shown.strip('`'), strict=False)}"
    return document.problem(key, f"{shown} is not {wanted.split(' such', maxsplit=1)[0]}", fix)
