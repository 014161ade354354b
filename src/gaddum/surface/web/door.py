"""Door: who may ask the workbench, and what every answer forbids the browser.

The server speaks to this computer only, and to who knows its token: another user of the computer, a page of another
port or site, and a name that somebody pointed at this computer are refused before anything is read.
"""

import hmac
import secrets
from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode

from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BODY = 5_000_000
"""Bytes that may be sent at once."""
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "style-src-attr 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""Of every answer; one that brings a policy of its own keeps it."""
_READING = ("GET", "HEAD")


class Door(NamedTuple):
    """Where the server is, and the token of its life."""

    host: str
    port: int
    token: str

    @property
    def place(self) -> str:
        """Host and port, as a browser names them."""
        return f"{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    @property
    def own(self) -> bool:
        """Whether only this computer reaches it; browsers say whence they ask such hosts alone."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @property
    def cookie(self) -> str:
        """Name of the cookie, which holds the port because cookies ignore ports."""
        return f"gaddum-{self.port}"

    @property
    def form_key(self) -> str:
        """What a form must send, and no other site can know."""
        return hmac.new(self.token.encode(), b"form", "sha256").hexdigest()


def open_door(host: str, port: int) -> Door:
    """Make a door with a token that nobody can guess."""
    return Door(host, port, secrets.token_urlsafe(32))


def guarded(app: ASGIApp, door: Door) -> ASGIApp:
    """Let through what `door` admits; all else is refused with a sentence."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await app(scope, receive, send)
            return
        if scope["type"] != "http":  # no page of ours opens a WebSocket
            await send({"type": "websocket.close", "code": 1008})
            return
        asked = HTTPConnection(scope)
        reason = _refusal(asked, scope["method"], door)
        if reason is not None:
            refused = PlainTextResponse(reason, 403)
            await refused(scope, receive, _protecting(send))
        elif asked.query_params.get("token") is not None:
            await _welcome(asked, door)(scope, receive, _protecting(send))
        else:
            await app(scope, _counting(receive), _protecting(send))

    return answer


def _refusal(asked: HTTPConnection, method: str, door: Door) -> str | None:
    """Why a request is refused; None where it is not."""
    headers = asked.headers
    if headers.getlist("host") != [door.place]:
        return (
            f"The workbench must be asked as http://{door.place}; another name was used. Open that address."
        )
    if headers.get("origin", f"http://{door.place}") != f"http://{door.place}":
        return "Only pages of the workbench may ask it; this came from another. Open the address that it printed."
    site = headers.get("sec-fetch-site")
    typed = site == "none" and method in _READING and headers.get("sec-fetch-mode") == "navigate"
    silent = site is None and not door.own
    if site != "same-origin" and not typed and not silent:
        return (
            "Only pages of the workbench may ask it, by a browser that says so (Sec-Fetch-Site: same-origin); "
            f"got {(site or 'none of it')[:20]!r}. Open the address that it printed in a browser of 2023 or later."
        )
    given = asked.query_params.get("token")
    given = (
        asked.cookies.get(door.cookie, "") if given is None else given
    )  # others' come too, well written or not
    if not hmac.compare_digest(given.encode("utf-8", "replace"), door.token.encode()):
        return (
            "The token must be that of the running server; it is missing or of an earlier one. Open the address that "
            "`gaddum serve` printed."
        )
    return None


def _welcome(asked: HTTPConnection, door: Door) -> RedirectResponse:
    """Put the token into a cookie and go on to the address without it."""
    rest = [(key, value) for key, value in parse_qsl(asked.url.query) if key != "token"]
    path = "/" + asked.scope["path"].lstrip("/\\")
    found = RedirectResponse(f"{path}?{urlencode(rest)}" if rest else path, 303)
    found.set_cookie(door.cookie, door.token, httponly=True, samesite="strict", path="/")
    return found


def _protecting(send: Send) -> Send:
    async def protected(message: Message) -> None:
        if message["type"] == "http.response.start":
            there = {name.lower() for name, _ in message["headers"]}
            message["headers"] = [
                *message["headers"],
                *((k.encode(), v.encode()) for k, v in HEADERS.items() if k.lower().encode() not in there),
            ]
        await send(message)

    return protected


def _counting(receive: Receive) -> Receive:
    """Count the bytes that come, whatever their header says."""
    came = 0

    async def counted() -> Message:
        nonlocal came
        message = await receive()
        came += len(message.get("body", b""))
        if came > MOST_BODY:
            raise HTTPException(
                413, f"What is sent must be at most {MOST_BODY / 1e6:g} MB; it is more. Send less at once."
            )
        return message

    return counted
