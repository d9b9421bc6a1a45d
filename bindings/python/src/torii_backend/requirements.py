"""Requirements of a token beyond being valid."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from enum import IntFlag
from typing import Any, Union

from torii_backend import _native
from torii_backend._native import quick

Scalar = Union[str, int, float, Decimal, bool]
Organization = Union[str, "tuple[str, str | None]"]


class ToriiRequire(IntFlag):
    """Flags for :class:`ToriiRequirements` and :class:`ToriiVerifier`."""

    EMAIL_VERIFIED = 1
    """``email_verified`` is true."""

    PROFILE_COMPLETE = 2
    """``profile_complete`` is not false."""

    NOT_IMPERSONATED = 4
    """Neither ``impersonating`` nor ``act`` says that another party acts as the user."""

    ORGANIZATION = 8
    """An organization is active."""


class ToriiRequirements:
    """Conditions that a valid token must also meet: for a verifier, for one call, or for a route.
    All requirements must be met; of several organizations, any one.

    :param flags: flags of :class:`ToriiRequire`.
    :param claims: values by RFC 6901 pointers, such as ``{"/plan": "pro"}``. The claim equals the
        value, or is a list that contains it. Pass pairs to name a pointer twice.
    :param organizations: ids, or pairs of an id and a role. Anyone can create an organization and
        own it, so a role alone cannot be required.
    :raises ToriiUsageError: if one of them is invalid.
    """

    __slots__ = ("_handle", "_parameter")

    def __init__(
        self,
        flags: int = 0,
        *,
        claims: Mapping[str, Scalar] | Iterable[tuple[str, Scalar]] = (),
        organizations: Organization | Iterable[Organization] = (),
    ) -> None:
        handle = _native.Requirements(quick.torii_requirements_new())
        if flags:
            number = _native.whole("flags", flags)
            _native.call(quick.torii_requirements_add_flags, handle, number)
        pairs = claims.items() if isinstance(claims, Mapping) else claims
        for pointer, value in pairs:
            texts = *_text("pointer", pointer), *_text("claims", _json(value))
            _native.call(quick.torii_requirements_add_claim, handle, *texts)
        several = [organizations] if isinstance(organizations, str) else organizations
        for each in several:
            id, role = each if isinstance(each, tuple) else (each, None)
            texts = *_text("organizations", id), *_text("organizations", role)
            _native.call(quick.torii_requirements_add_organization, handle, *texts)
        self._handle = handle
        self._parameter = handle.parameter()


def _text(name: str, value: str | None) -> tuple[bytes | None, int]:
    if value is None:
        return None, 0
    text = _native.encode(name, value)
    return text, len(text)


def _json(value: Scalar) -> str:
    # A float cannot hold every decimal value; the library compares exactly.
    return str(value) if isinstance(value, Decimal) else json.dumps(value)


def parameter(requirements: ToriiRequirements | None) -> Any:
    """Returns the argument for C."""
    if requirements is None:
        return None
    if not isinstance(requirements, ToriiRequirements):
        given = type(requirements).__name__
        raise TypeError(f"requirements must be ToriiRequirements, not {given}")
    return requirements._parameter
