"""Values passed to and returned from the library."""

from __future__ import annotations

import json
import re
from dataclasses import MISSING, dataclass, field, fields
from datetime import datetime
from struct import Struct
from typing import (
    Any,
    Callable,
    Dict,
    Generic,
    Iterator,
    List,
    Mapping,
    Optional,
    Sequence,
    Tuple,
    Type,
    TypedDict,
    TypeVar,
    Union,
)

from torii_backend.errors import ToriiApiError, ToriiError, ToriiStatus
from torii_backend.requirements import ToriiRequire

_HEADER_SIZE = 96
"""The size of ``torii_record_t`` in this release; later ones append to it."""

_Span = Callable[[bytes], Tuple[int, int, int]]


def _span(offset: int) -> _Span:
    """Reads ``header_size``, and offset and length of the text whose span is at ``offset``."""
    return Struct(f"=4xI{offset - 8}xII").unpack_from


_user_id = _span(32)
_environment_id = _span(40)
_issuer = _span(48)
_locale = _span(56)
_organization_id = _span(64)
_organization_role = _span(72)
_actor_id = _span(80)
_claims_json = _span(88)
_flags = Struct("=8xI").unpack_from
_times = Struct("=16xqq").unpack_from


class ToriiAuth:
    """The identity in a verified token. It does not change, and may outlive its verifier.

    Fields are decoded when they are read."""

    __slots__ = ("_raw", "_record")

    _raw: Dict[str, Any]

    _record: bytes

    def __init__(self) -> None:
        raise TypeError("verifiers make these")

    @property
    def user_id(self) -> str:
        """The user id: ``sub``."""
        return _text(self._record, _user_id)

    @property
    def environment_id(self) -> str:
        """The id of the user's environment: ``pid``."""
        return _text(self._record, _environment_id)

    @property
    def issuer(self) -> str:
        """The configured issuer that signed the token, without trailing slashes."""
        return _text(self._record, _issuer)

    @property
    def locale(self) -> Optional[str]:
        """The user's preferred locale."""
        return _optional_text(self._record, _locale)

    @property
    def organization_id(self) -> Optional[str]:
        """The id of the active organization: ``o``."""
        return _optional_text(self._record, _organization_id)

    @property
    def organization_role(self) -> Optional[str]:
        """The user's role in the active organization. An organization's owner assigns roles: check
        them together with :attr:`organization_id`."""
        return _optional_text(self._record, _organization_role)

    @property
    def actor_id(self) -> Optional[str]:
        """The id of the party that acts as the user: ``act``. None does not mean that there is no
        such party: see :attr:`impersonating`."""
        return _optional_text(self._record, _actor_id)

    @property
    def flags(self) -> ToriiRequire:
        """The :class:`ToriiRequire` flags that this login meets."""
        return ToriiRequire(_flags(self._record)[0])

    @property
    def email_verified(self) -> bool:
        """Whether the user has a verified email address. torii stamps this claim only through the
        environment's default JWT template."""
        return bool(_flags(self._record)[0] & 1)

    @property
    def profile_complete(self) -> bool:
        """Whether all required profile fields are set."""
        return bool(_flags(self._record)[0] & 2)

    @property
    def impersonating(self) -> bool:
        """Whether another party acts as the user."""
        return not _flags(self._record)[0] & 4

    @property
    def issued_at(self) -> int:
        """``iat`` in Unix seconds, rounded down."""
        return int(_times(self._record)[0])

    @property
    def expires_at(self) -> int:
        """``exp`` in Unix seconds, rounded down."""
        return int(_times(self._record)[1])

    @property
    def claims_json(self) -> str:
        """All claims exactly as signed."""
        return _text(self._record, _claims_json)

    @property
    def raw(self) -> Dict[str, Any]:
        """All claims, parsed."""
        try:
            return self._raw
        except AttributeError:
            self._raw = json.loads(self.claims_json)
            return self._raw

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ToriiAuth):
            return NotImplemented
        return (self.issuer, self.claims_json) == (other.issuer, other.claims_json)

    def __hash__(self) -> int:
        return hash((self.issuer, self.claims_json))

    def __copy__(self) -> ToriiAuth:
        return self

    def __deepcopy__(self, _: object) -> ToriiAuth:
        return self

    def __repr__(self) -> str:
        return (
            f"ToriiAuth(user_id={self.user_id!r}, environment_id={self.environment_id!r}, "
            f"issuer={self.issuer!r})"
        )


def _text(record: bytes, span: _Span) -> str:
    header_size, start, length = span(record)
    end = start + length
    # A NUL follows each text.
    if _HEADER_SIZE <= header_size <= start and end < len(record):
        return record[start:end].decode()
    raise ToriiError("record: a text is absent or out of bounds")


def _optional_text(record: bytes, span: _Span) -> Optional[str]:
    return _text(record, span) if span(record)[1] else None


Metadata = Dict[str, Any]
"""JSON metadata. In an update, None removes a key, and an absent key stays."""

Instant = Union[datetime, str]


class ToriiCreateUserInput(TypedDict, total=False):
    """A new user. Every field is optional."""

    email: Optional[str]
    password: Optional[str]
    first_name: Optional[str]
    last_name: Optional[str]
    public_metadata: Metadata
    private_metadata: Metadata
    unsafe_metadata: Metadata
    # older servers
    name: Optional[str]
    phone: Optional[str]
    address: Optional[str]
    date_of_birth: Optional[str]


class ToriiUpdateUserInput(TypedDict, total=False):
    """Changes to a user: an absent field stays as it is, None clears it, a value sets it."""

    first_name: Optional[str]
    last_name: Optional[str]
    locale: Optional[str]
    unsafe_metadata: Metadata
    # older servers
    name: Optional[str]
    phone: Optional[str]
    address: Optional[str]
    date_of_birth: Optional[str]


class ToriiUserMetadataInput(TypedDict, total=False):
    """Changes to a user's metadata; absent metadata stays as it is."""

    public_metadata: Metadata
    private_metadata: Metadata
    unsafe_metadata: Metadata


class ToriiMetadataInput(TypedDict, total=False):
    """Changes to the metadata of an organization, a membership or an invitation."""

    public_metadata: Metadata
    private_metadata: Metadata


class ToriiUserFilter(TypedDict, total=False):
    """Filters of users, which must all match. ``name=None`` finds users without a name."""

    name: Optional[str]
    email: Optional[str]
    user_ids: Sequence[str]
    email_addresses: Sequence[str]
    statuses: Sequence[str]
    created_after: Optional[Instant]
    created_before: Optional[Instant]
    organization_id: Optional[str]


class ToriiCreateInvitationInput(TypedDict, total=False):
    """A new invitation; ``email`` is required."""

    email: str
    expires_in_days: Optional[int]
    redirect_url: Optional[str]
    public_metadata: Metadata
    private_metadata: Metadata


class ToriiImpersonationInput(TypedDict, total=False):
    """An impersonation; ``actor_user_id`` and ``reason`` are required."""

    actor_user_id: str
    reason: str
    redirect_url: Optional[str]
    expires_in_seconds: Optional[int]


M = TypeVar("M", bound="Model")
T = TypeVar("T")


@dataclass(frozen=True)
class Model:
    """An answer of the API."""

    raw: Dict[str, Any] = field(repr=False)
    """The whole answer, with fields newer than this release."""

    @classmethod
    def read(cls: Type[M], answer: Any) -> M:
        """Reads the fields of the class, and ignores others."""
        if not isinstance(answer, dict):
            raise _unreadable(f"{cls.__name__} is not an object")
        values: Dict[str, Any] = {"raw": answer}
        for each in fields(cls):
            value = answer.get(camel(each.name))
            if value is not None:
                values[each.name] = _instant(value) if "datetime" in str(each.type) else value
            elif each.default is MISSING and each.name != "raw":
                raise _unreadable(f"{cls.__name__} has no `{camel(each.name)}`")
        return cls(**values)


@dataclass(frozen=True)
class ToriiUser(Model):
    """A user. ``status`` is ``active``, ``banned`` or ``deleted``, or newer."""

    id: str
    environment_id: str
    status: str
    created_at: datetime
    updated_at: datetime
    public_metadata: Metadata
    private_metadata: Metadata
    unsafe_metadata: Metadata
    name: Optional[str] = None
    first_name: Optional[str] = None
    last_name: Optional[str] = None
    locale: Optional[str] = None
    email: Optional[str] = None
    email_verified_at: Optional[datetime] = None
    deleted_at: Optional[datetime] = None


@dataclass(frozen=True)
class ToriiSession(Model):
    """A session of a user."""

    id: str
    user_id: str
    environment_id: str
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime
    user_agent: Optional[str] = None
    ip_address: Optional[str] = None
    active_organization_id: Optional[str] = None
    impersonated_by: Optional[str] = None


@dataclass(frozen=True)
class ToriiOrganization(Model):
    """An organization."""

    id: str
    name: str
    created_at: datetime
    public_metadata: Metadata
    private_metadata: Metadata
    slug: Optional[str] = None
    role_set_id: Optional[str] = None


@dataclass(frozen=True)
class ToriiUserOrganization(Model):
    """A user's membership in an organization, with the metadata of the membership."""

    organization_id: str
    name: str
    role: str
    joined_at: datetime
    public_metadata: Metadata
    private_metadata: Metadata
    slug: Optional[str] = None
    role_name: Optional[str] = None


@dataclass(frozen=True)
class ToriiOrganizationMember(Model):
    """A member of an organization, with the metadata of the membership."""

    organization_id: str
    user_id: str
    role: str
    joined_at: datetime
    public_metadata: Metadata
    private_metadata: Metadata
    role_name: Optional[str] = None


@dataclass(frozen=True)
class ToriiInvitation(Model):
    """An invitation. Only :meth:`Invitations.get` and :meth:`Invitations.update_metadata` return
    its metadata."""

    id: str
    environment_id: str
    email: str
    status: str
    expires_at: datetime
    created_at: datetime
    accepted_at: Optional[datetime] = None
    revoked_at: Optional[datetime] = None
    public_metadata: Optional[Metadata] = None
    private_metadata: Optional[Metadata] = None


@dataclass(frozen=True)
class ToriiImpersonationToken(Model):
    """A single-use token to sign in as a user."""

    token: str = field(repr=False)
    expires_in_seconds: int
    url: Optional[str] = field(default=None, repr=False)


@dataclass(frozen=True)
class ToriiAllowedOrigins(Model):
    """The origins from which browsers may call torii."""

    origins: List[str]


@dataclass(frozen=True)
class ToriiPage(Generic[T]):
    """A page of a list. Iterating over it yields the items of this page."""

    items: List[T]
    next_cursor: Optional[str]
    _fetch: Callable[..., ToriiPage[T]] = field(repr=False, compare=False)

    @property
    def has_more(self) -> bool:
        """Whether another page follows."""
        return self.next_cursor is not None

    def next_page(self) -> Optional[ToriiPage[T]]:
        """Fetches the next page; None after the last."""
        return None if self.next_cursor is None else self._fetch(cursor=self.next_cursor)

    def all(self) -> Iterator[T]:
        """Yields the items of this page and of all following pages, fetching them as needed."""
        page: Optional[ToriiPage[T]] = self
        while page is not None:
            yield from page.items
            page = page.next_page()

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


def read_list(model: Type[M], answer: Any) -> List[M]:
    """Reads a list of an answer."""
    if not isinstance(answer, list):
        raise _unreadable("a list is missing")
    return [model.read(item) for item in answer]


def read_page(model: Type[M], answer: Any, fetch: Callable[..., ToriiPage[M]]) -> ToriiPage[M]:
    """Reads a page of an answer."""
    if not isinstance(answer, dict):
        raise _unreadable("a page is not an object")
    return ToriiPage(read_list(model, answer.get("items")), answer.get("nextCursor"), fetch)


def camel(name: str) -> str:
    """Returns a field's name on the wire: ``firstName`` for ``first_name``."""
    first, *rest = name.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in rest)


def body(changes: Mapping[str, Any]) -> bytes:
    """Returns the JSON object to send. The keys of metadata stay as they are."""
    named = {camel(name): value for name, value in changes.items()}
    text = json.dumps(named, allow_nan=False, default=_plain, separators=(",", ":"))
    return text.encode()


def _plain(value: Any) -> Any:
    if isinstance(value, datetime) and value.tzinfo is None:
        raise TypeError("a datetime needs a time zone")
    if hasattr(value, "isoformat"):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} cannot be sent as JSON")


_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:\d\d)")


def _instant(text: Any) -> datetime:
    """Reads RFC 3339; ``fromisoformat`` accepts neither ``Z`` nor 9 decimals before 3.11."""
    parts = _RFC3339.fullmatch(text) if isinstance(text, str) else None
    if parts is None:
        raise _unreadable("an instant is not RFC 3339")
    date, time, decimals, zone = parts.groups()
    offset = "+00:00" if zone in "Zz" else zone
    try:
        return datetime.fromisoformat(f"{date}T{time}.{(decimals or '')[:6]:0<6}{offset}")
    except ValueError as error:
        raise _unreadable("an instant is not RFC 3339") from error


def _unreadable(what: str) -> ToriiApiError:
    error = ToriiApiError(f"answer: {what}")
    error.reason = ToriiStatus.RESPONSE
    return error
