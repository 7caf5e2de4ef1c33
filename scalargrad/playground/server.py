"""The playground on this computer: the standard library's HTTP server around one session, for one page at a time.

What must never happen: that another page in the same browser, another user of this computer without the token, or
another computer has the session do anything. Whatever is not right in a request is refused with 403 before its body is
read, and logged; nothing else happens.
"""

from __future__ import annotations

import hmac
import json
import logging
import os
import re
import secrets
import socket
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, ClassVar

from scalargrad.playground.assets import page_files

if TYPE_CHECKING:
    from collections.abc import Callable

    from scalargrad.playground.session import Session

MOST_BYTES = 200_000
"""Of a message."""
MOST_CONNECTIONS = 100
"""Open at once; for one more the oldest without the token is closed."""
SILENCE, STRANGERS, LONGEST = 30.0, 10.0, 60.0
"""Seconds: after which another page may take the place of one that says nothing; how long a connection stays that has
not shown the token; how long one that has may say nothing."""
IDLE = 3600.0
"""Seconds without a message from a page, after which the server ends."""
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data: blob:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = (
    ("Content-Security-Policy", POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cache-Control", "no-store"),
)
_CLIENT = re.compile(r"[0-9a-f]{32}")
log = logging.getLogger("scalargrad.playground")


class _Handler(BaseHTTPRequestHandler):
    """One connection. `server` is the PlaygroundServer."""

    server: PlaygroundServer
    protocol_version = "HTTP/1.1"  # keep the connection: without it each message opens one
    server_version, sys_version = "scalargrad", ""
    # By default headers and body leave as two packets, and Nagle's algorithm holds the second one back until the first
    # is acknowledged, 40 ms later.
    wbufsize = -1
    disable_nagle_algorithm = True
    timeout = LONGEST
    default_request_version = "HTTP/1.1"

    def handle(self) -> None:
        with suppress(ConnectionError, TimeoutError, OSError):  # who went away needs no answer
            super().handle()

    def finish(self) -> None:
        with suppress(OSError, ValueError):
            super().finish()

    def log_message(self, *_: Any) -> None:
        """What is done is not logged; what is refused is, by `_refuse`."""

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What the base class finds wrong with a request is refused like all else."""
        del message, explain
        self._refuse(f"no request that is understood here ({int(code)})")

    def do_GET(self) -> None:
        if not self._is_at_home():
            return
        found = self.server.files.get(self.path.split("?")[0].lstrip("/") or "index.html")
        if found is None:
            self._answer(404, b"there is no such file", "text/plain; charset=utf-8")
        else:
            self._answer(200, *found)

    def do_POST(self) -> None:
        if not self._is_at_home():
            return
        wrong = self._wrong_head()
        if wrong:
            self._refuse(wrong)
            return
        self.server.is_known(self.connection)
        length = int(self.headers["Content-Length"])
        try:
            body = self.rfile.read(length)
            message = json.loads(body, parse_constant=_no_number)
        except (ValueError, RecursionError):
            self._refuse("not JSON")
            return
        reply = self.server.session.handle(message)
        if self.headers.get("X-Scalargrad-Leaves"):
            self.server.leave()
        text = json.dumps(reply, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        self._answer(200, text.encode("utf-8", "replace"), "application/json")

    def _wrong_head(self) -> str:
        """What is wrong with a message, before its body is read; empty if nothing is."""
        lengths = self.headers.get_all("Content-Length") or []
        length = lengths[0] if len(lengths) == 1 and re.fullmatch(r"[0-9]{1,9}", lengths[0]) else ""
        given = self.headers.get("X-Scalargrad") or ""
        client = self.headers.get("X-Scalargrad-Client") or ""
        if self.path != "/api":
            return "wrong address"
        if self.headers.get_all("Content-Type") != ["application/json"]:  # a form sends another
            return "wrong type: messages are application/json"
        if self.headers.get("Transfer-Encoding") or not length or int(length) > MOST_BYTES:
            return f"wrong size: a message has at most {MOST_BYTES} bytes, and says how many"
        if not hmac.compare_digest(given.encode("utf-8", "replace"), self.server.token.encode()):
            return "wrong token: open the address that was written in the terminal"
        if not _CLIENT.fullmatch(client) or not self.server.admits(client):
            return "the playground is open in another page: close it there, or load this one again later"
        return ""

    def _is_at_home(self) -> bool:
        """Whether the request is from this computer's browser for this server, and not from a page elsewhere.

        A page elsewhere whose name has come to mean 127.0.0.1 sends its own name as Host.
        """
        origin, site = self.headers.get("Origin"), self.headers.get("Sec-Fetch-Site")
        if self.headers.get_all("Host") not in [[host] for host in self.server.hosts]:
            self._refuse("wrong host")
        elif origin is not None and origin not in [f"http://{host}" for host in self.server.hosts]:
            self._refuse("wrong origin")
        elif site not in (None, "none", "same-origin") and self.command != "GET":
            self._refuse("wrong site")
        else:
            return True
        return False

    def _refuse(self, why: str) -> None:
        self.close_connection = True  # the body is not read, so the next request could not be found
        self.server.refused(why)
        self._answer(403, why.encode(), "text/plain; charset=utf-8")

    def _answer(self, code: int, body: bytes, type_: str) -> None:
        self.send_response_only(code)
        self.send_header("Content-Type", type_)
        self.send_header("Content-Length", str(len(body)))
        for name, content in _HEADERS:
            self.send_header(name, content)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no JSON")


class PlaygroundServer(ThreadingHTTPServer):
    """A server on 127.0.0.1 for one session. `serve_forever()` runs it; it ends after an hour without a page.

    Args:
        session: what answers the messages.
        port: 0 is a free one, which the system picks.
        clock: seconds, for tests.

    Attributes:
        token: what a page must show.
        refusals: why requests were refused, the last hundred.
    """

    daemon_threads = True
    allow_reuse_address = os.name == "posix"  # on Windows another program could listen on the same port
    request_queue_size = 128
    _kept: ClassVar[int] = 100

    def __init__(self, session: Session, port: int = 0, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.session = session
        self.token = secrets.token_urlsafe(24)
        self.files = {name: (text.encode(), type_) for name, (text, type_) in page_files().items()}
        self.refusals: list[str] = []
        self.clock = clock
        self._client, self._heard = "", clock()
        self._strangers: dict[socket.socket, float] = {}
        self._open: set[socket.socket] = set()
        try:
            super().__init__(("127.0.0.1", port), _Handler)
        except OSError as error:
            raise OSError(f"cannot listen on port {port}: {error.strerror or error}; port 0 is a free one") from None
        self.hosts = (f"127.0.0.1:{self.server_port}", f"localhost:{self.server_port}")

    @property
    def url(self) -> str:
        """The address of the page. The token is in its fragment, which browsers send to nobody."""
        return f"http://127.0.0.1:{self.server_port}/#{self.token}"

    def admits(self, client: str) -> bool:
        """Whether this page may speak: the one that did so last, or another if that one has long said nothing."""
        now = self.clock()
        if client != self._client and self._client and now - self._heard < SILENCE:
            return False
        self._client, self._heard = client, now
        return True

    def leave(self) -> None:
        """The page is closed; another may speak."""
        self._client = ""

    def refused(self, why: str) -> None:
        """Remember and log why a request was refused; nothing of the request itself goes into the log."""
        if len(self.refusals) < self._kept:
            log.warning("refused: %s", why)
        self.refusals.append(why)
        del self.refusals[: -self._kept]

    def is_known(self, connection: socket.socket) -> None:
        """The connection has shown the token."""
        self._strangers.pop(connection, None)

    def process_request(self, request: Any, client_address: Any) -> None:
        """A new connection; if there are too many, those without the token that came first are closed."""
        self._strangers[request] = self.clock()
        self._open.add(request)
        if len(self._open) > MOST_CONNECTIONS:
            for stranger in list(self._strangers)[: len(self._open) - MOST_CONNECTIONS]:
                self._drop(stranger)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """A connection has ended."""
        self._strangers.pop(request, None)
        self._open.discard(request)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        """Twice a second: close what stays without a token, and end after an hour without a page."""
        now = self.clock()
        for stranger, since in list(self._strangers.items()):
            if now - since > STRANGERS:
                self._drop(stranger)
        if now - self._heard > IDLE:
            log.warning("no page has asked anything for an hour: the playground ends")
            threading.Thread(target=self.shutdown, daemon=True).start()
            self._heard = now

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        """A connection that went wrong is no news; the server goes on."""
        log.debug("a connection ended badly", exc_info=True)

    def _drop(self, stranger: socket.socket) -> None:
        self._strangers.pop(stranger, None)
        with suppress(OSError):  # its thread wakes up, and closes it
            stranger.shutdown(socket.SHUT_RDWR)
