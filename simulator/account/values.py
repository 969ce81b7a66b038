"""The rows of reqAccountUpdates and reqAccountSummary, from the account at present marks."""

from __future__ import annotations

from simulator.account.account import Account
from simulator.model import UNITS_PER_DOLLAR, AccountValue, BaseCurrency, Money

_INTRADAY_LEVERAGE = 4
"""A margin account's buying power in multiples of its available funds (pattern day trader, Regulation T)."""


def account_values(account: Account) -> list[AccountValue]:
    """Every row, in a fixed order."""
    margin = account.margin()
    pnl = account.pnl()
    cash = account.ledger.cash
    gross = account.gross_position_value()
    available = margin.equity - margin.initial
    excess = margin.equity - margin.maintenance
    cushion = excess / margin.equity if margin.equity > 0 else 0.0
    plain = {
        "AccountCode": account.name,
        "AccountReady": "true",
        "AccountType": "INDIVIDUAL",
        "Cushion": f"{cushion:.6f}",
        "DayTradesRemaining": "-1",
        "Leverage-S": f"{gross / margin.equity:.2f}" if margin.equity > 0 else "0.00",
        "LookAheadNextChange": "0",
        "TradingType-S": "STKCASH" if account.cash_only else "STKNOPT",
    }
    base = {
        "AccruedCash": 0,
        "AvailableFunds": available,
        "BuyingPower": max(0, min(cash, available) if account.cash_only else _INTRADAY_LEVERAGE * available),
        "CashBalance": cash,
        "EquityWithLoanValue": margin.equity,
        "ExcessLiquidity": excess,
        "FullAvailableFunds": available,
        "FullExcessLiquidity": excess,
        "FullInitMarginReq": margin.initial,
        "FullMaintMarginReq": margin.maintenance,
        "GrossPositionValue": gross,
        "InitMarginReq": margin.initial,
        "LookAheadAvailableFunds": available,
        "LookAheadExcessLiquidity": excess,
        "LookAheadInitMarginReq": margin.initial,
        "LookAheadMaintMarginReq": margin.maintenance,
        "MaintMarginReq": margin.maintenance,
        "NetDividend": 0,
        "NetLiquidation": margin.equity,
        "NetLiquidationByCurrency": margin.equity,
        "PreviousDayEquityWithLoanValue": account.previous_equity,
        "RealizedPnL": pnl.realized,
        "RegTEquity": margin.equity,
        "RegTMargin": margin.initial,
        "SMA": available,
        "SettledCash": cash,
        "StockMarketValue": account.net_position_value(),
        "TotalCashBalance": cash,
        "TotalCashValue": cash,
        "UnrealizedPnL": pnl.unrealized,
    }
    rows = [AccountValue(key, value, "") for key, value in plain.items()]
    currency = account.base
    rows += [AccountValue(key, _amount_text(value, currency), currency.name) for key, value in base.items()]
    for name, rate in {currency.name: 1.0, "USD": currency.per_dollar}.items():
        rows += [AccountValue("Currency", name, name), AccountValue("ExchangeRate", f"{rate:.7g}", name)]
    return rows


def _amount_text(amount: Money, currency: BaseCurrency) -> str:
    """Two decimals."""
    return f"{amount / UNITS_PER_DOLLAR * currency.per_dollar:.2f}"
