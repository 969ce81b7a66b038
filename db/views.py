"""The views that a person queries. They hold no data, so `db.migrate.upgrade` makes them anew when one has changed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from sqlalchemy import Connection, text


@dataclass(frozen=True, slots=True)
class View:
    """A view: its name, what a person finds in it, and its query."""

    name: str
    comment: str
    query: str


VIEWS = (
    View(
        "v_trades",
        "Round trips with their day, how long they were held (seconds) and the clock in New York",
        """
        SELECT s.account, s.trade_date, t.session, t.number, t.ticker, t.side, t.shares,
               t.opened_at AT TIME ZONE 'America/New_York' AS opened_eastern,
               t.closed_at AT TIME ZONE 'America/New_York' AS closed_eastern,
               extract(epoch FROM t.closed_at - t.opened_at) AS held_seconds,
               t.entry_price, t.exit_price, t.gross_pnl, t.commissions, t.net_pnl, t.exit_reason, t.adds, t.atr,
               t.capital_efficiency, t.unprotected_ms / 1000.0 AS unprotected_seconds
        FROM trades t JOIN sessions s USING (session)
        """,
    ),
    View(
        "v_daily_pnl",
        "P&L per account and day; net is null while a commission is pending",
        """
        SELECT account, trade_date, count(*) AS trades, count(*) FILTER (WHERE net_pnl > 0) AS wins,
               round(count(*) FILTER (WHERE net_pnl > 0)::numeric / nullif(count(net_pnl), 0), 4) AS win_rate,
               sum(gross_pnl) AS gross_pnl,
               CASE WHEN count(*) = count(commissions) THEN sum(commissions) END AS commissions,
               CASE WHEN count(*) = count(net_pnl) THEN sum(net_pnl) END AS net_pnl,
               max(unprotected_seconds) AS unprotected_seconds_max
        FROM v_trades GROUP BY account, trade_date
        """,
    ),
    View(
        "v_ticker_pnl",
        "P&L per account, day and ticker; net is null while a commission is pending",
        """
        SELECT account, trade_date, ticker, count(*) AS trades, count(*) FILTER (WHERE net_pnl > 0) AS wins,
               round(count(*) FILTER (WHERE net_pnl > 0)::numeric / nullif(count(net_pnl), 0), 4) AS win_rate,
               sum(gross_pnl) AS gross_pnl,
               CASE WHEN count(*) = count(commissions) THEN sum(commissions) END AS commissions,
               CASE WHEN count(*) = count(net_pnl) THEN sum(net_pnl) END AS net_pnl
        FROM v_trades GROUP BY account, trade_date, ticker
        """,
    ),
    View(
        "v_executions",
        "Fills that count (the latest correction of each) with the commission reported last; null: not yet reported",
        """
        SELECT account, (executed_at AT TIME ZONE 'America/New_York')::date AS trade_date, exec_id, session, order_ref,
               ticker, action, shares, price, executed_at, exchange, commission, realized_pnl,
               added_by_reconcile, corrected
        FROM (
            SELECT e.*, e.correction > min(e.correction) OVER lineages AS corrected,
                   row_number() OVER (lineages ORDER BY e.correction DESC, e.exec_id DESC) AS newness,
                   first_value(c.commission) OVER
                       (lineages ORDER BY c.commission IS NULL, e.correction DESC, e.exec_id DESC) AS commission,
                   first_value(c.realized_pnl) OVER
                       (lineages ORDER BY c.realized_pnl IS NULL, e.correction DESC, e.exec_id DESC) AS realized_pnl
            FROM executions e LEFT JOIN commissions c USING (account, exec_id)
            WINDOW lineages AS (PARTITION BY e.account, e.lineage)
        ) ranked
        WHERE newness = 1
        """,
    ),
    View(
        "v_positions",
        "Shares that a session holds by its own fills, and the cash that they took (negative) or gave",
        """
        SELECT session, ticker, sum(CASE action WHEN 'BUY' THEN shares ELSE -shares END) AS shares,
               sum(CASE action WHEN 'BUY' THEN -shares * price ELSE shares * price END) AS cash
        FROM v_executions WHERE session IS NOT NULL GROUP BY session, ticker
        """,
    ),
    View(
        "v_open_orders",
        "Orders that have not ended, as far as we know",
        """
        SELECT s.account, s.trade_date, o.session, o.order_ref, o.ticker, o.leg, o.action, o.kind, o.shares, o.filled,
               o.limit_price, o.stop_price, o.status, o.placed_at, o.good_after, o.why_held, o.error_code, o.error_text
        FROM orders o JOIN sessions s USING (session) WHERE o.ended_at IS NULL
        """,
    ),
    View(
        "v_decisions",
        "What was made of every prediction, by the clock in New York",
        """
        SELECT s.account, s.trade_date, d.session, d.number, d.at AT TIME ZONE 'America/New_York' AS at_eastern,
               d.ticker, d.signal, d.confidence, d.outcome, d.refusal, d.explanation, d.side, d.shares, d.price, d.atr,
               d.capital_efficiency, d.order_ref, d.figures
        FROM decisions d JOIN sessions s USING (session)
        """,
    ),
    View(
        "v_decisions_refused",
        "How often each rule refused, per day and ticker",
        """
        SELECT s.account, s.trade_date, d.ticker, d.refusal, count(*) AS refused,
               min(d.at) AS first_at, max(d.at) AS last_at
        FROM decisions d JOIN sessions s USING (session) WHERE d.outcome = 'refuse'
        GROUP BY s.account, s.trade_date, d.ticker, d.refusal
        """,
    ),
    View(
        "v_capital_efficiency",
        "For every entry: shares x decision price / dollars allocated; what is missing to 1 stayed unused",
        """
        SELECT s.account, s.trade_date, d.session, d.number, d.at, d.ticker, d.outcome, d.side, d.shares, d.price,
               d.shares * d.price AS dollars, d.capital_efficiency, 1 - d.capital_efficiency AS unused
        FROM decisions d JOIN sessions s USING (session) WHERE d.capital_efficiency IS NOT NULL
        """,
    ),
    View(
        "v_open_alerts",
        "Alerts whose condition is not over",
        """
        SELECT s.account, s.trade_date, a.session, a.severity, a.key, a.title, a.text, a.raised_at
        FROM alerts a JOIN sessions s USING (session) WHERE a.cleared_at IS NULL
        """,
    ),
    View(
        "v_breaks",
        "Unexplained differences between the broker and us that are not resolved",
        """
        SELECT account, trade_date, kind, key, ours, brokers, found_at
        FROM breaks WHERE resolved_at IS NULL
        """,
    ),
    View(
        "v_sessions",
        "Each session: how it stands, how much it did",
        """
        SELECT s.session, s.account, s.trade_date, s.phase, s.phase_reason, s.started_at, s.halted_at, s.closed_at,
               s.shipped_sequence,
               (SELECT count(*) FROM decisions d WHERE d.session = s.session) AS decisions,
               (SELECT count(*) FROM orders o WHERE o.session = s.session) AS orders,
               (SELECT count(*) FROM trades t WHERE t.session = s.session) AS trades,
               (SELECT count(*) FROM orders o WHERE o.session = s.session AND o.ended_at IS NULL) AS open_orders
        FROM sessions s
        """,
    ),
)


def views_are_current(connection: Connection) -> bool:
    """Whether the database has the views of this program."""
    comment = connection.execute(text(f"SELECT obj_description(to_regclass('{VIEWS[0].name}'))")).scalar()
    return comment is not None and comment == _comment(VIEWS[0])


def drop_views(connection: Connection) -> None:
    """Remove our views, so that the tables below them can change."""
    for view in reversed(VIEWS):
        connection.execute(text(f"DROP VIEW IF EXISTS {view.name}"))


def create_views(connection: Connection) -> None:
    """Make all views, each with its comment."""
    for view in VIEWS:
        comment = _comment(view).replace("'", "''")
        connection.exec_driver_sql(f"CREATE VIEW {view.name} AS {view.query}")
        connection.exec_driver_sql(f"COMMENT ON VIEW {view.name} IS '{comment}'")


def _comment(view: View) -> str:
    """What `\\d+` shows. The first view's also tells the views of one program from those of another."""
    if view is not VIEWS[0]:
        return view.comment
    return f"{view.comment} [views {hashlib.sha256(repr(VIEWS).encode()).hexdigest()[:12]}]"
