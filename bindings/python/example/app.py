"""A server that verifies access tokens, and shows and changes the profile of their users.

$ export TORII_ISSUER=https://acme.torii.so TORII_SECRET_KEY=sk_test_…
$ uvicorn app:app
$ curl -H "Authorization: Bearer $TOKEN" http://127.0.0.1:8000/me
$ curl -H "Authorization: Bearer $TOKEN" http://127.0.0.1:8000/me --json '{}' -X PATCH
"""

from __future__ import annotations

import os
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse

from torii_backend import ToriiApiError, ToriiAuth, create_torii_client
from torii_backend.fastapi import require_auth

app = FastAPI()
torii = create_torii_client(
    secret_key=os.environ["TORII_SECRET_KEY"], api_url=os.environ.get("TORII_API_URL")
)
User = Annotated[ToriiAuth, Depends(require_auth(issuer=os.environ["TORII_ISSUER"]))]


@app.get("/me")
def me(auth: User) -> dict[str, Any]:
    """Returns the user of the token, and the profile that torii has."""
    user = torii.users.get(auth.user_id)
    return {"id": auth.user_id, "locale": auth.locale, "first_name": user.first_name}


@app.patch("/me")
def rename(auth: User, changes: dict[str, Any]) -> dict[str, Any]:
    """Sets a name, clears it (null), or leaves it alone (absent)."""
    allowed: dict[str, Any] = {
        name: changes[name] for name in ("firstName", "lastName") if name in changes
    }
    user = torii.users.update(auth.user_id, allowed)
    return {"first_name": user.first_name, "last_name": user.last_name}


@app.exception_handler(ToriiApiError)
def torii_failed(request: Request, error: ToriiApiError) -> JSONResponse:
    """Logs the details; the client gets none."""
    print(f"torii: {error} (status {error.http_status}, support id {error.support_id})")
    return JSONResponse({"detail": "the profile is temporarily unavailable"}, status_code=502)
