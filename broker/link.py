"""The state of the link and why: the socket, the gateway's own way to IB, the freshness of data (SEMANTICS 9)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from broker import codes
from core.events import Event, LinkChanged
from core.vocabulary import Link

_SERVER: Final = "server"

NO_CONTRACTS: Final = "contracts"
"""Not of a connection but of ours: it stands until they have been read, however often the link is replaced."""


class LinkHealth:
    """Emits `LinkChanged` when state or reason change. Troubles add up: connected again only when all have ended.

    `on_connected` is called behind each `LinkChanged` to connected.
    """

    def __init__(
        self,
        emit: Callable[[Event], None],
        now_ms: Callable[[], int],
        on_data_lost: Callable[[], None],
        on_connected: Callable[[], None],
    ) -> None:
        self._emit = emit
        self._now_ms = now_ms
        self._on_data_lost = on_data_lost
        self._on_connected = on_connected
        self._troubles: dict[str, str] = {}
        self._told: tuple[Link, str] = (Link.LOST, "")
        self.is_up = False

    @property
    def is_cut_off(self) -> bool:
        """Whether the gateway itself has lost IB: what it says of the account may be old, or only a part."""
        return _SERVER in self._troubles

    def opening(self) -> None:
        """A new connection is being opened: its notices, which come before it is up, begin anew."""
        self._troubles = {name: words for name, words in self._troubles.items() if name == NO_CONTRACTS}

    def up(self, reason: str) -> None:
        """The socket is connected and logged in."""
        self.is_up = True
        self._tell_now(reason)

    def lost(self, reason: str) -> None:
        """The socket is gone, or no longer answers. Told once until it is up again."""
        if self.is_up:
            self.is_up = False
            self._tell(Link.LOST, reason)

    def begin(self, trouble: str, reason: str) -> None:
        """Something stands in the way of trading, though the socket is up."""
        if self._troubles.get(trouble) != reason:
            self._troubles[trouble] = reason
            self._tell_now("")

    def end(self, trouble: str, reason: str) -> None:
        """A trouble is over; nothing to do when there was none."""
        if self._troubles.pop(trouble, None) is not None:
            self._tell_now(reason)

    def on_code(self, code: int, text: str) -> bool:
        """Take a notice about connectivity; False when the code is about something else."""
        reason = f"{code}: {text}"
        if code in codes.SERVER_LOST:
            self.begin(_SERVER, reason)
        elif code == codes.SERVER_BACK_DATA_LOST:
            self._on_data_lost()
            self._server_back(reason)
        elif code == codes.SERVER_BACK_DATA_KEPT:
            self._server_back(reason)
        elif code in codes.FARM_DOWN:
            self.begin(f"farm {codes.farm_name(text)}", reason)
        elif code in codes.FARM_UP:
            self.end(f"farm {codes.farm_name(text)}", reason)
        else:
            return False
        return True

    def _server_back(self, reason: str) -> None:
        """Told even when no loss was: what happened meanwhile at the broker has to be read back."""
        self._troubles.pop(_SERVER, None)
        self._tell_now(reason, restored=True)

    def _tell_now(self, reason: str, *, restored: bool = False) -> None:
        if not self.is_up:
            return
        if self._troubles:
            self._tell(Link.DEGRADED, "; ".join(self._troubles.values()), restored=restored)
        else:
            self._tell(Link.CONNECTED, reason, restored=restored)

    def _tell(self, link: Link, reason: str, *, restored: bool = False) -> None:
        if restored or (link, reason) != self._told:
            self._told = (link, reason)
            self._emit(LinkChanged(self._now_ms(), link, reason, restored))
            if link is Link.CONNECTED:
                self._on_connected()
