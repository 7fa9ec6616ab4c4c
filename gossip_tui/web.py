"""The same application in a browser, through textual-serve: each tab starts a program of its own.

There is no log-in: whoever reaches the port has the terminal. So it is on loopback unless told otherwise, and
a page of another site can't use a browser on this machine to get there: a connection must come from a page
that this server gave out, under a name that it knows.
"""

from __future__ import annotations

import shlex
import socket
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from protocol.core.identity import is_wildcard_host
from protocol.errors import GossipError

if TYPE_CHECKING:
    from aiohttp import web

__all__ = ["MissingExtraError", "WebError", "is_own", "serve", "url_for", "warning_for"]

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
"""Hosts that nobody else can reach."""


MISSING_EXTRA = (
    "the extra `web` is not installed: pip install '.[web]' in a clone, else pip install 'gossip-tui[web]'"
)
"""Which of the two is right depends on where the program was installed from, and pip alone knows that."""


class MissingExtraError(GossipError):
    """textual-serve is not installed."""

    def __init__(self) -> None:
        super().__init__(MISSING_EXTRA)


class WebError(GossipError):
    """The port can't be had."""


def warning_for(host: str) -> str:
    """What everybody who serves this has to know."""
    who = "everybody on this machine" if host in LOOPBACK_NAMES else f"EVERYBODY who reaches {host}"
    return f"there is no log-in: {who} can read and send as you"


def url_for(host: str, port: int, public_url: str | None) -> str:
    """Under what browsers reach the server.

    Raises:
        WebError: Nobody can, unless somebody says how.
    """
    if public_url is not None:
        parts = urlsplit(public_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise WebError(f"--public-url looks like http://host:port, not {public_url[:60]!a}")
        return public_url.rstrip("/")
    if is_wildcard_host(host):
        raise WebError(f"--web-host {host} means every interface: add --public-url http://THIS-HOST:{port}")
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port}"


def is_own(origin: str | None, host: str | None, public_url: str) -> bool:
    """Whether a connection comes from a page of this server, and was addressed by a name it knows.

    Args:
        origin: Where the page came from, as the browser says; None from a program that is no browser.
        host: What the browser thinks it talks to.
        public_url: Under what this server gives out its pages.
    """
    own = urlsplit(public_url).netloc.lower()
    names = {own}
    if urlsplit(public_url).hostname in LOOPBACK_NAMES:
        port = urlsplit(public_url).port
        after = "" if port is None else f":{port}"
        names |= {f"{'[::1]' if name == '::1' else name}{after}" for name in LOOPBACK_NAMES}
    if host is None or host.lower() not in names:
        return False
    return origin is None or urlsplit(origin).netloc.lower() in names


def serve(
    arguments: Sequence[str], *, host: str, port: int, public_url: str, ready: Callable[[], object]
) -> None:
    """Serve ``gossip-tui`` with these arguments until Ctrl-C.

    Args:
        arguments: What each tab runs.
        host: Where to listen.
        port: The same.
        public_url: Under what browsers reach it.
        ready: Called when it listens.

    Raises:
        MissingExtraError: textual-serve is not installed.
        WebError: The port is taken, or the host is not of this machine.
    """
    try:
        from aiohttp import web  # noqa: PLC0415 - an extra
        from textual_serve.server import Server  # noqa: PLC0415
    except ImportError:
        raise MissingExtraError from None
    check_port(host, port)

    def tell(*_: object) -> None:
        ready()

    class OwnServer(Server):  # type: ignore[misc, no-any-unimported, unused-ignore]
        """Serves its own pages only."""

        def run(self) -> None:
            """Serve until Ctrl-C or SIGTERM; ``serve`` does not tell when the port is open."""
            web.run_app(self._make_app(), host=host, port=port, print=tell, access_log=None)

        async def on_startup(self, app: web.Application) -> None:
            """Print no banner."""

        async def handle_websocket(self, request: web.Request) -> Any:
            """Refuse pages of other sites."""
            if not is_own(request.headers.get("Origin"), request.headers.get("Host"), self.public_url):
                raise web.HTTPForbidden(text="this page is not of this server")
            return await super().handle_websocket(request)

    command = shlex.join([sys.executable, "-m", "gossip_tui", *arguments])
    OwnServer(command, host=host, port=port, title="gossip-tui", public_url=public_url).run()


def check_port(host: str, port: int) -> None:
    """Say in one line that the port can't be had, before anything is started.

    Raises:
        WebError: It can't.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise WebError(f"{host}:{port} can't be served: {error.strerror or error}") from None
