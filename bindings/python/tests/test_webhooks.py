"""Webhooks: timestamps, headers and secrets."""

from __future__ import annotations

import pickle
import time
from datetime import datetime, timedelta, timezone
from email.message import Message
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, HTTPException, Request
from sender import OTHER, SECRET, signed
from serving import serving
from starlette.datastructures import Headers

from torii_backend import (
    ToriiStatus,
    ToriiUsageError,
    ToriiWebhook,
    ToriiWebhookError,
    ToriiWebhookVerifier,
    webhooks,
)

BODY = b'{"type":"user.created"}'
MEBIBYTE = 1 << 20


def verify(headers: Any = None, body: Any = BODY, **options: Any) -> ToriiWebhook:
    headers = signed(BODY) if headers is None else headers
    return webhooks.verify(body, headers, **{"secrets": SECRET, **options})


def refused(reason: ToriiStatus, *arguments: Any, **options: Any) -> str:
    with pytest.raises(ToriiWebhookError) as caught:
        verify(*arguments, **options)
    assert caught.value.reason == reason
    assert caught.value.http_status == 400
    return str(caught.value)


def test_a_genuine_webhook() -> None:
    headers = signed(BODY)
    sent = datetime.fromtimestamp(int(headers["webhook-timestamp"]), timezone.utc)
    assert verify(headers, secrets=[OTHER, SECRET]) == ToriiWebhook("msg_1", sent)
    assert verify(headers) == ToriiWebhook("msg_1", sent)
    for body in (bytearray(BODY), memoryview(BODY)):
        assert verify(headers, body).sent_at.tzinfo is timezone.utc


def test_the_error_names_the_problem() -> None:
    assert refused(ToriiStatus.WEBHOOK_SIGNATURE, body=BODY + b"\n").startswith("webhook-signature")
    assert refused(ToriiStatus.WEBHOOK_HEADER, {}) == "webhook-id: missing"
    assert refused(ToriiStatus.WEBHOOK_TIMESTAMP, signed(BODY, sent=1)).startswith(
        "webhook-timestamp"
    )


@pytest.mark.parametrize("away", [-300, 300, -301, 301, 0, 1])
@pytest.mark.parametrize("tolerance", [0, 300, 0.9])
def test_when_it_was_sent(away: int, tolerance: float) -> None:
    sent = int(time.time())
    headers = signed(BODY, sent=sent)
    moment = datetime.fromtimestamp(sent, timezone(timedelta(hours=9))) + timedelta(seconds=away)
    for now in (sent + away, moment):
        if abs(away) <= tolerance:
            assert verify(headers, tolerance=tolerance, now=now).id == "msg_1"
        else:
            message = refused(ToriiStatus.WEBHOOK_TIMESTAMP, headers, tolerance=tolerance, now=now)
            assert f"{abs(away)} s {'ago' if away > 0 else 'from now'}" in message


def test_by_default_it_is_five_minutes_and_the_clock_of_the_system() -> None:
    sent = time.time()
    assert verify(signed(BODY, sent=sent - 290))
    message = refused(ToriiStatus.WEBHOOK_TIMESTAMP, signed(BODY, sent=sent - 310))
    assert "within 300 s" in message
    refused(ToriiStatus.WEBHOOK_TIMESTAMP, signed(BODY, sent=sent + 310))


def renamed(headers: dict[str, str], old: str, new: str) -> dict[str, str]:
    return {name.replace(old, new): value for name, value in headers.items()}


def test_names_of_headers() -> None:
    headers = signed(BODY)
    svix = renamed(headers, "webhook", "svix")
    message = Message()
    for name, value in headers.items():
        message[name.title()] = value
    for form in (
        {name.upper(): value for name, value in headers.items()},
        svix,
        {name.title(): value for name, value in svix.items()},
        {**headers, "svix-id": "msg_2"},
        {**svix, "webhook-id": None},
        {name: [value] for name, value in headers.items()},
        {name: value.encode() for name, value in headers.items()},
        {**headers, "accept": None, 7: 8},
        Headers(headers),
        httpx.Headers(headers),
        message,
    ):
        assert verify(form).id == "msg_1"
    mixed = {**svix, "Webhook-Id": "msg_1"}
    assert refused(ToriiStatus.WEBHOOK_HEADER, mixed) == "webhook-timestamp: missing"
    mixed = {**svix, "webhook-signature": ""}
    assert refused(ToriiStatus.WEBHOOK_HEADER, mixed) == "webhook-id: missing"


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_missing_headers(name: str) -> None:
    headers = signed(BODY)
    for nothing in (None, "", b"", []):
        message = refused(ToriiStatus.WEBHOOK_HEADER, {**headers, name: nothing})
        assert message == f"{name}: missing"
    del headers[name]
    assert refused(ToriiStatus.WEBHOOK_HEADER, headers) == f"{name}: missing"


def test_headers_that_come_twice() -> None:
    headers = signed(BODY)
    twice = Headers(raw=[(name.encode(), value.encode()) for name, value in headers.items()] * 2)
    refused(ToriiStatus.WEBHOOK_HEADER, twice)
    refused(ToriiStatus.WEBHOOK_HEADER, {**headers, "webhook-timestamp": ["1", "1"]})
    refused(ToriiStatus.WEBHOOK_SIGNATURE, {**headers, "Webhook-Id": "msg_1"})
    signatures = ["v1,AAAA", headers["webhook-signature"]]
    assert verify({**headers, "webhook-signature": signatures}).id == "msg_1"
    # The comma that joins them belongs to the first.
    refused(ToriiStatus.WEBHOOK_SIGNATURE, {**headers, "webhook-signature": signatures[::-1]})


@pytest.mark.parametrize(
    "secret",
    ["", " ", SECRET + "\n", f"{SECRET} {SECRET}", "\t" + SECRET, "whsec_\udcff", "whsec_AQID"],
)
def test_wrong_secrets_are_named_by_number(secret: str) -> None:
    with pytest.raises(ToriiUsageError, match=r"^secrets: number 2: ") as caught:
        verify(secrets=[OTHER, secret])
    assert caught.value.reason == ToriiStatus.INVALID_CONFIG
    assert "AQID" not in str(caught.value)
    assert SECRET not in str(caught.value)


def test_a_verifier_is_reused() -> None:
    verifier = ToriiWebhookVerifier([OTHER, SECRET], tolerance=10)
    now = int(time.time())
    for number in range(3):
        headers = signed(BODY, id=f"msg_{number}", sent=now)
        assert verifier.verify(BODY, headers, now=now + 10).id == f"msg_{number}"
        with pytest.raises(ToriiWebhookError) as caught:
            verifier.verify(BODY, headers, now=now + 11)
        assert caught.value.reason == ToriiStatus.WEBHOOK_TIMESTAMP
        assert caught.value.public_code == "invalid_webhook"
        assert caught.value.public_message
    with pytest.raises(TypeError, match="neither copied nor pickled"):
        pickle.dumps(verifier)


def test_a_secret_is_needed() -> None:
    with pytest.raises(ToriiUsageError, match=r"^secrets: "):
        verify(secrets=[])
    with pytest.raises(ToriiUsageError, match=r"^secrets: number 1: "):
        verify(secrets="")


def test_every_text_crosses() -> None:
    for body in (b"", b"\0\xff\xfe", b"x" * MEBIBYTE):
        assert verify(signed(body, id="a\0ø🦆"), body).id == "a\0ø🦆"
        assert verify(signed(body), body).id == "msg_1"
        refused(ToriiStatus.WEBHOOK_SIGNATURE, signed(body), body + b"\0")
    for odd in ("a\0b", "\udcff", "x" * MEBIBYTE):
        message = refused(ToriiStatus.WEBHOOK_HEADER, {**signed(BODY), "webhook-timestamp": odd})
        assert message.startswith("webhook-timestamp: ")


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("body", {"body": BODY.decode()}),
        ("body", {"body": {"type": "user.created"}}),
        ("body", {"body": 5}),
        ("webhook-id", {"headers": {**signed(BODY), "webhook-id": 5}}),
        ("webhook-id", {"headers": {**signed(BODY), "webhook-id": [None]}}),
        ("headers", {"headers": "webhook-id"}),
        ("headers", {"headers": list(signed(BODY).items())}),
        ("secrets: number 1", {"secrets": [None]}),
        ("secrets: number 1", {"secrets": None}),
        ("secrets: number 1", {"secrets": SECRET.encode()}),
    ],
)
def test_a_value_of_another_type_is_refused(name: str, wrong: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match=f"^{name} must be "):
        verify(**wrong)


@pytest.mark.parametrize("name", ["now", "tolerance"])
@pytest.mark.parametrize("value", [-1, 1 << 32, 1 << 70])
def test_numbers_are_refused_by_name(name: str, value: int) -> None:
    with pytest.raises(ToriiUsageError, match=f"^{name}: out of range"):
        verify(**{name: value})


def test_a_server() -> None:
    app = FastAPI()

    @app.post("/webhooks")
    async def receive(request: Request) -> str:
        try:
            return webhooks.verify(await request.body(), request.headers, secrets=[SECRET]).id
        except ToriiWebhookError as error:
            raise HTTPException(error.http_status, str(error)) from error

    body = b"\0\xff{}\n"
    headers = signed(body)
    twice = [*headers.items(), ("webhook-signature", "v1,AAAA")]
    with serving(app) as url:

        def status(body: bytes, headers: Any) -> int:
            return httpx.post(f"{url}/webhooks", content=body, headers=headers).status_code

        assert status(body, headers) == 200
        assert status(body, renamed(headers, "webhook", "Svix")) == 200
        assert status(body[1:], headers) == 400
        assert status(body, {}) == 400
        assert status(body, [*headers.items(), ("Webhook-Timestamp", "1")]) == 400
        assert status(body, [("webhook-signature", "v1,AAAA"), *headers.items()]) == 200
        assert status(body, twice) == 400
