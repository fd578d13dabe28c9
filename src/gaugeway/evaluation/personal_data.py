"""Personal data of fixed form, with its check digits where it has some. Names and addresses it does not know."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator
from typing import Literal

Kind = Literal["email", "phone", "credit_card", "iban", "ip_address", "us_ssn"]
Span = tuple[int, int]

MAX_LETTERS = 100_000
"""Of a text that are looked at; whoever has more must not call it clean."""

_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,8}[A-Za-z]{2,24}(?![\w-])")
_CARD = re.compile(r"(?<![\d.-])\d(?:[ -]?\d){12,18}(?![\d-])")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")
_ADDRESS = re.compile(
    r"(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7})(?![\w:]|\.\d)"
)
_SSN = re.compile(r"(?<![\d-])\d{3}-\d{2}-\d{4}(?![\d-])")


def find(kind: Kind, text: str, region: str | None) -> Iterator[Span]:
    """Where a text has data of that kind, in order. `region`: of phone numbers without a country code."""
    return FINDERS[kind](text, region)


def _emails(text: str, _region: str | None) -> Iterator[Span]:
    return (match.span() for match in _EMAIL.finditer(text)) if "@" in text else iter(())


def _phones(text: str, region: str | None) -> Iterator[Span]:
    from phonenumbers import PhoneNumberMatcher

    return ((match.start, match.end) for match in PhoneNumberMatcher(text, region))


def _cards(text: str, _region: str | None) -> Iterator[Span]:
    from stdnum import luhn

    for match in _CARD.finditer(text):
        number = re.sub(r"[ -]", "", match.group())
        if number[0] in "3456" and luhn.is_valid(number):
            yield match.span()


def _ibans(text: str, _region: str | None) -> Iterator[Span]:
    from stdnum import iban

    return (match.span() for match in _IBAN.finditer(text) if iban.is_valid(match.group()))


def _addresses(text: str, _region: str | None) -> Iterator[Span]:
    return (match.span() for match in _ADDRESS.finditer(text) if _is_public_address(match.group()))


def _is_public_address(text: str) -> bool:
    try:
        return ipaddress.ip_address(text).is_global  # 127.0.0.1 and the like are nobody's
    except ValueError:
        return False


def _ssns(text: str, _region: str | None) -> Iterator[Span]:
    from stdnum.us import ssn

    return (match.span() for match in _SSN.finditer(text) if ssn.is_valid(match.group()))


FINDERS: dict[Kind, Callable[[str, str | None], Iterator[Span]]] = {
    "email": _emails,
    "phone": _phones,
    "credit_card": _cards,
    "iban": _ibans,
    "ip_address": _addresses,
    "us_ssn": _ssns,
}
