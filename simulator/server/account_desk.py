"""Account values, portfolio, positions and profit: asked once, then pushed until cancelled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from simulator.model import PnL, PnLSingle, PositionRow, dollars
from simulator.server.desk import Desk, Office, Route
from simulator.server.session import Session
from simulator.wire import answers, codes, contracts, requests
from simulator.wire.times import eastern

REFRESH_MS: Final = 180_000
"""TWS pushes account values on a change and at least every three minutes."""
_LEDGER: Final = frozenset(
    (
        "Currency CashBalance TotalCashBalance AccruedCash StockMarketValue OptionMarketValue FutureOptionValue"
        " FuturesPNL NetLiquidationByCurrency UnrealizedPnL RealizedPnL ExchangeRate FundValue NetDividend"
        " MutualFundValue MoneyMarketFundValue CorporateBondValue TBondValue TBillValue WarrantValue"
        " FxCashBalance AccountOrGroup RealCurrency IssuerOptionValue Cryptocurrency"
    ).split()
)

Key = tuple[Session, int]


class AccountDesk(Desk):
    """6, 17, 61 to 64, 74 to 77, 92 to 95."""

    def __init__(self, office: Office) -> None:
        super().__init__(office)
        self._updates: dict[Session, dict[tuple[str, str], str]] = {}
        self._positions: dict[Session, None] = {}
        self._position_multi: dict[Key, str] = {}
        self._summaries: dict[Key, tuple[tuple[str, ...], dict[tuple[str, str], str]]] = {}
        self._multi: dict[Key, tuple[str, dict[tuple[str, str], str]]] = {}
        self._pnl: dict[Key, PnL | None] = {}
        self._single: dict[Key, tuple[int, PnLSingle | None]] = {}
        self._changed = False
        self._refreshed_ms = office.now_ms

    def routes(self) -> Mapping[int, Route]:
        """Message id to reader and handler."""
        read_id, read_bare = requests.RequestId.read, requests.RequestId.read_bare
        return {
            6: (requests.AccountUpdates.read, self._account_updates),
            17: (requests.Nothing.read, self._managed_accounts),
            61: (requests.Nothing.read, self._request_positions),
            62: (requests.AccountSummary.read, self._request_summary),
            63: (read_id, lambda session, asked: self._summaries.pop((session, asked.request_id), None)),
            64: (requests.Nothing.read, lambda session, _: self._positions.pop(session, None)),
            74: (requests.Account.read_versioned, self._request_positions_multi),
            75: (read_id, lambda session, asked: self._position_multi.pop((session, asked.request_id), None)),
            76: (requests.Account.read_versioned, self._request_multi),
            77: (read_id, lambda session, asked: self._multi.pop((session, asked.request_id), None)),
            92: (requests.Account.read, self._request_pnl),
            93: (read_bare, lambda session, asked: self._pnl.pop((session, asked.request_id), None)),
            94: (requests.Account.read_single, self._request_single),
            95: (read_bare, lambda session, asked: self._single.pop((session, asked.request_id), None)),
        }

    def forget(self, session: Session) -> None:
        """Drop every subscription of a lost session."""
        self._updates.pop(session, None)
        self._positions.pop(session, None)
        tables: tuple[dict[Key, object], ...] = (
            self._summaries,
            self._multi,
            self._pnl,
            self._single,
            self._position_multi,
        )  # type: ignore[assignment]  # dict is invariant in its values; only keys are touched here
        for table in tables:
            for key in [key for key in table if key[0] is session]:
                del table[key]

    def _knows(self, session: Session, request_id: int, account: str) -> bool:
        if account in ("", "All", self.venue.account):
            return True
        self.office.error(session, request_id, codes.VALIDATING, codes.validating(f"Invalid account code '{account}'."))
        return False

    # ---- requests ---------------------------------------------------------------------------------------------
    def _managed_accounts(self, session: Session, _: requests.Nothing) -> None:
        self.office.send(session, answers.managed_accounts([self.venue.account]))

    def _account_updates(self, session: Session, wanted: requests.AccountUpdates) -> None:
        if not wanted.subscribe:
            self._updates.pop(session, None)
        elif self._knows(session, -1, wanted.account):
            self._updates[session] = {}
            self._push_updates(session)
            self.office.send(session, answers.account_download_end(self.venue.account))

    def _request_positions(self, session: Session, _: requests.Nothing) -> None:
        self._positions[session] = None
        for row in self.venue.positions():
            self.office.send(session, contracts.position(row))
        self.office.send(session, answers.position_end())

    def _request_positions_multi(self, session: Session, wanted: requests.Account) -> None:
        if self._knows(session, wanted.request_id, wanted.account):
            self._position_multi[session, wanted.request_id] = wanted.model
            for row in self.venue.positions():
                self.office.send(session, contracts.position_multi(wanted.request_id, row, wanted.model))
            self.office.send(session, answers.ended(72, wanted.request_id))

    def _request_summary(self, session: Session, wanted: requests.AccountSummary) -> None:
        self._summaries[session, wanted.request_id] = (wanted.tags, {})
        self._push_summary(session, wanted.request_id)
        self.office.send(session, answers.ended(64, wanted.request_id))

    def _request_multi(self, session: Session, wanted: requests.Account) -> None:
        if self._knows(session, wanted.request_id, wanted.account):
            self._multi[session, wanted.request_id] = (wanted.model, {})
            self._push_multi(session, wanted.request_id)
            self.office.send(session, answers.ended(74, wanted.request_id))

    def _request_pnl(self, session: Session, wanted: requests.Account) -> None:
        if self._knows(session, wanted.request_id, wanted.account):
            self._pnl[session, wanted.request_id] = None
            self._push_pnl()

    def _request_single(self, session: Session, wanted: requests.Account) -> None:
        if self._knows(session, wanted.request_id, wanted.account):
            self._single[session, wanted.request_id] = (wanted.con_id, None)
            self._push_pnl()

    # ---- pushes -----------------------------------------------------------------------------------------------
    def on_position(self, row: PositionRow) -> None:
        """61 (and 71) to all who asked, also when flat."""
        for session in self._positions:
            self.office.send(session, contracts.position(row))
        for (session, request_id), model in self._position_multi.items():
            self.office.send(session, contracts.position_multi(request_id, row, model))

    def on_account(self) -> None:
        """Remember that values moved; they go out once, at the end of the second."""
        self._changed = True

    def second_ended(self) -> None:
        """Profit every second that it moved; account values on a change and every three minutes."""
        if self._pnl or self._single:
            self._push_pnl()
        if not self._changed and self.office.now_ms - self._refreshed_ms < REFRESH_MS:
            return
        self._changed = False
        self._refreshed_ms = self.office.now_ms
        for session in self._updates:
            self._push_updates(session)
        for session, request_id in self._summaries:
            self._push_summary(session, request_id)
        for session, request_id in self._multi:
            self._push_multi(session, request_id)

    def _push_updates(self, session: Session) -> None:
        account, sent = self.venue.account, self._updates[session]
        for value in self.venue.account_values():
            if sent.get((value.key, value.currency)) != value.value:
                sent[value.key, value.currency] = value.value
                self.office.send(session, answers.account_value(value.key, value.value, value.currency, account))
        for row in self.venue.positions():
            self.office.send(session, contracts.portfolio_value(row))
        self.office.send(session, answers.account_time(f"{eastern(self.office.now_ms):%H:%M}"))

    def _push_summary(self, session: Session, request_id: int) -> None:
        tags, sent = self._summaries[session, request_id]
        base = self.venue.options.base.name
        ledgers = {tag.partition(":")[2] or base for tag in tags if tag.startswith("$LEDGER")}
        for value in self.venue.account_values():
            in_ledger = value.key in _LEDGER and not ledgers.isdisjoint(("ALL", value.currency))
            if value.key not in tags and not in_ledger:
                continue
            if sent.get((value.key, value.currency)) != value.value:
                sent[value.key, value.currency] = value.value
                row = (request_id, self.venue.account, value.key, value.value, value.currency)
                self.office.send(session, answers.account_summary(*row))

    def _push_multi(self, session: Session, request_id: int) -> None:
        model, sent = self._multi[session, request_id]
        for value in self.venue.account_values():
            if sent.get((value.key, value.currency)) != value.value:
                sent[value.key, value.currency] = value.value
                row = (request_id, self.venue.account, model, value.key, value.value, value.currency)
                self.office.send(session, answers.account_update_multi(*row))

    def _push_pnl(self) -> None:
        whole = self.venue.pnl() if self._pnl else None
        for (session, request_id), before in self._pnl.items():
            if whole is not None and whole != before:
                self._pnl[session, request_id] = whole
                amounts = (dollars(whole.daily), dollars(whole.unrealized), dollars(whole.realized))
                self.office.send(session, answers.pnl(request_id, *amounts))
        for (session, request_id), (con_id, earlier) in self._single.items():
            single = self.venue.pnl_single(con_id)
            if single != earlier:
                self._single[session, request_id] = (con_id, single)
                parts = (single.daily, single.unrealized, single.realized, single.value)
                rest = [dollars(part) for part in parts]
                self.office.send(session, answers.pnl_single(request_id, single.position, *rest))
