"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make every table, those first that others refer to."""
    _breaks()
    _commands()
    _commissions()
    _session_settings()
    _sessions()
    _alerts()
    _decisions()
    _executions()
    _journal()
    _orders()
    _trades()


def downgrade() -> None:
    """Drop every table."""
    for table in (
        "trades",
        "orders",
        "journal",
        "executions",
        "decisions",
        "alerts",
        "sessions",
        "session_settings",
        "commissions",
        "commands",
        "breaks",
    ):
        op.drop_table(table)


def _breaks() -> None:
    op.create_table(
        "breaks",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("trade_date", sa.Date(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="what differs"),
        sa.Column("key", sa.Text(), nullable=False, comment="of what: an exec_id, a ticker, a trade, a sum of P&L"),
        sa.Column("ours", sa.Text(), nullable=False, comment="our figure, as text; empty: we have none"),
        sa.Column("brokers", sa.Text(), nullable=False, comment="the broker's figure, as text; empty: it has none"),
        sa.Column("found_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column(
            "resolved_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="set by a person, or by a later run that no longer finds it",
        ),
        sa.PrimaryKeyConstraint("account", "trade_date", "kind", "key", name=op.f("pk_breaks")),
        comment="Differences between the broker and us that nothing explains; found once, kept",
    )


def _commands() -> None:
    op.create_table(
        "commands",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column(
            "request_key",
            sa.Text(),
            nullable=False,
            comment="the same key is the same request, however often it is sent",
        ),
        sa.Column("session", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column(
            "tickers", sa.ARRAY(sa.Text()), nullable=False, comment="of a flatten; empty: all that the session owns"
        ),
        sa.Column("whole_account", sa.Boolean(), nullable=False, comment="of a flatten: foreign positions too"),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("handled_at", sa.DateTime(timezone=True), nullable=True, comment="null: pending"),
        sa.Column("answer", sa.Text(), nullable=True, comment="what the session said"),
        sa.CheckConstraint("kind IN ('flatten', 'suspend', 'resume', 'stop')", name=op.f("ck_commands_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_commands")),
        sa.UniqueConstraint("request_key", name=op.f("uq_commands_request_key")),
        comment="What people and flows ask of a session; it answers by handled_at",
    )
    op.create_index(
        "ix_commands_pending", "commands", ["session"], unique=False, postgresql_where=sa.text("handled_at IS NULL")
    )


def _commissions() -> None:
    op.create_table(
        "commissions",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("exec_id", sa.Text(), nullable=False),
        sa.Column(
            "commission", sa.Numeric(), nullable=True, comment="dollars; negative is a rebate; null: no figure yet"
        ),
        sa.Column("realized_pnl", sa.Numeric(), nullable=True, comment="the broker's own figure, dollars"),
        sa.Column("added_by_reconcile", sa.Boolean(), server_default="false", nullable=False),
        sa.PrimaryKeyConstraint("account", "exec_id", name=op.f("pk_commissions")),
        comment="What executions cost; no row or null: not yet reported, which is not zero",
    )


def _session_settings() -> None:
    op.create_table(
        "session_settings",
        sa.Column("session", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Integer(), autoincrement=False, nullable=False, comment="the start: the journal's epoch"),
        sa.Column("settings", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("session", "epoch", name=op.f("pk_session_settings")),
        comment="With which settings a session ran, once per start; secrets left out",
    )


def _sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("session", sa.Text(), nullable=False, comment="<account>-<yyyymmdd>"),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("trade_date", sa.Date(), nullable=False, comment="the Eastern trading day"),
        sa.Column(
            "epoch",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="newest writer of the journal; older ones are refused",
        ),
        sa.Column(
            "shipped_sequence",
            sa.BigInteger(),
            server_default="0",
            nullable=False,
            comment="journal rows up to here are in these tables",
        ),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True, comment="time of the first journal row"),
        sa.Column("phase", sa.Text(), nullable=True, comment="starting, trading, suspended, halted, closing, closed"),
        sa.Column("phase_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("phase_reason", sa.Text(), nullable=True),
        sa.Column(
            "halted_at", sa.DateTime(timezone=True), nullable=True, comment="when risk closed the day; never undone"
        ),
        sa.Column(
            "closed_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="when flat with nothing working was verified",
        ),
        sa.PrimaryKeyConstraint("session", name=op.f("pk_sessions")),
        sa.UniqueConstraint("account", "trade_date", name=op.f("uq_sessions_account_trade_date")),
        comment="One trading day of one account; the other tables hang on it",
    )


def _alerts() -> None:
    op.create_table(
        "alerts",
        sa.Column("session", sa.Text(), nullable=False, comment="<account>-<yyyymmdd>"),
        sa.Column(
            "sequence", sa.BigInteger(), autoincrement=False, nullable=False, comment="the journal row that raised it"
        ),
        sa.Column("part", sa.Integer(), autoincrement=False, nullable=False, comment="place among the row's commands"),
        sa.Column("key", sa.Text(), nullable=False, comment="groups repetitions: one open alert per key"),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cleared_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cleared_text", sa.Text(), nullable=True),
        sa.CheckConstraint("severity IN ('info', 'warning', 'critical')", name=op.f("ck_alerts_severity")),
        sa.ForeignKeyConstraint(["session"], ["sessions.session"], name=op.f("fk_alerts_session_sessions")),
        sa.PrimaryKeyConstraint("session", "sequence", "part", name=op.f("pk_alerts")),
        comment="Notices to a person; cleared_at says when the condition was over",
    )
    op.create_index(op.f("ix_alerts_raised_at"), "alerts", ["raised_at"], unique=False)


def _decisions() -> None:
    op.create_table(
        "decisions",
        sa.Column("session", sa.Text(), nullable=False, comment="<account>-<yyyymmdd>"),
        sa.Column(
            "number", sa.Integer(), autoincrement=False, nullable=False, comment="running number within the session"
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ticker", sa.Text(), nullable=False),
        sa.Column(
            "prediction_key",
            sa.Text(),
            nullable=False,
            comment="ticker|timestamp ms|signal: what makes a prediction usable once",
        ),
        sa.Column("signal", sa.Text(), nullable=False, comment="as received: BUY, SELL, SHORT, NEUTRAL, ..."),
        sa.Column("confidence", sa.Double(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False, comment="enter, scale_in, reverse, refuse"),
        sa.Column("refusal", sa.Text(), nullable=True, comment="the first rule that refused"),
        sa.Column("explanation", sa.Text(), nullable=False),
        sa.Column(
            "figures",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="the values that decided, as text",
        ),
        sa.Column("order_ref", sa.Text(), nullable=True, comment="the entry order, where one was placed"),
        sa.Column("side", sa.Text(), nullable=True),
        sa.Column("shares", sa.Integer(), nullable=False),
        sa.Column("price", sa.Numeric(), nullable=True, comment="decision price, dollars a share"),
        sa.Column("atr", sa.Double(), nullable=True, comment="dollars a share"),
        sa.Column(
            "capital_efficiency", sa.Double(), nullable=True, comment="shares x decision price / dollars allocated"
        ),
        sa.CheckConstraint("(outcome = 'refuse') = (refusal IS NOT NULL)", name=op.f("ck_decisions_refusal_named")),
        sa.CheckConstraint("side IN ('long', 'short')", name=op.f("ck_decisions_side")),
        sa.ForeignKeyConstraint(["session"], ["sessions.session"], name=op.f("fk_decisions_session_sessions")),
        sa.PrimaryKeyConstraint("session", "number", name=op.f("pk_decisions")),
        comment="One row per prediction received: acted on, or refused with the first rule that said no",
    )
    op.create_index(op.f("ix_decisions_at"), "decisions", ["at"], unique=False)


def _executions() -> None:
    op.create_table(
        "executions",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("exec_id", sa.Text(), nullable=False, comment="the broker's id"),
        sa.Column(
            "lineage",
            sa.Text(),
            nullable=False,
            comment="exec_id up to its last dot: the same for a fill and its corrections",
        ),
        sa.Column(
            "correction",
            sa.Integer(),
            nullable=False,
            comment="the digits after the last dot; of a lineage the highest counts",
        ),
        sa.Column("session", sa.Text(), nullable=True, comment="owner of the order; null: not an order of ours"),
        sa.Column("order_ref", sa.Text(), nullable=False, comment="empty: not an order of ours"),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("client_id", sa.Integer(), nullable=False),
        sa.Column("perm_id", sa.BigInteger(), nullable=False),
        sa.Column("ticker", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("shares", sa.Integer(), nullable=False),
        sa.Column("price", sa.Numeric(), nullable=False, comment="dollars a share"),
        sa.Column("executed_at", sa.DateTime(timezone=True), nullable=False, comment="the broker's time"),
        sa.Column("exchange", sa.Text(), nullable=False),
        sa.Column(
            "added_by_reconcile",
            sa.Boolean(),
            server_default="false",
            nullable=False,
            comment="the session never saw it; found at the end of the day",
        ),
        sa.CheckConstraint("action IN ('BUY', 'SELL')", name=op.f("ck_executions_action")),
        sa.CheckConstraint("shares >= 0", name=op.f("ck_executions_shares")),
        sa.ForeignKeyConstraint(["session"], ["sessions.session"], name=op.f("fk_executions_session_sessions")),
        sa.PrimaryKeyConstraint("account", "exec_id", name=op.f("pk_executions")),
        comment="Every fill reported by the broker, and every correction of one as a row of its own",
    )
    op.create_index(op.f("ix_executions_account_executed_at"), "executions", ["account", "executed_at"], unique=False)
    op.create_index(op.f("ix_executions_account_lineage"), "executions", ["account", "lineage"], unique=False)
    op.create_index(op.f("ix_executions_order_ref"), "executions", ["order_ref"], unique=False)
    op.create_index(op.f("ix_executions_session"), "executions", ["session"], unique=False)


def _journal() -> None:
    op.create_table(
        "journal",
        sa.Column("session", sa.Text(), nullable=False, comment="<account>-<yyyymmdd>"),
        sa.Column(
            "sequence", sa.BigInteger(), autoincrement=False, nullable=False, comment="1, 2, 3, ... within the session"
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, comment="the session's clock"),
        sa.Column("name", sa.Text(), nullable=False, comment="the kind of event: BarClosed, ExecutionReported, ..."),
        sa.Column("event", sa.Text(), nullable=False, comment="JSON"),
        sa.Column("commands", sa.Text(), nullable=False, comment="JSON array; empty text when the event caused none"),
        sa.ForeignKeyConstraint(["session"], ["sessions.session"], name=op.f("fk_journal_session_sessions")),
        sa.PrimaryKeyConstraint("session", "sequence", name=op.f("pk_journal")),
        comment="Every event and the commands it caused; all other tables of a session follow from it",
    )


def _orders() -> None:
    op.create_table(
        "orders",
        sa.Column("order_ref", sa.Text(), nullable=False, comment="<session>/<ticker>/<number>/<leg>, unique for ever"),
        sa.Column("session", sa.Text(), nullable=False),
        sa.Column("ticker", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False, comment="orders with the same number are one bracket"),
        sa.Column("leg", sa.Text(), nullable=False, comment="entry, stop, target, timed_exit, exit, ..."),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="MKT, LMT, STP"),
        sa.Column("shares", sa.Integer(), nullable=False, comment="total asked for, filled ones included"),
        sa.Column("limit_price", sa.Numeric(), nullable=True),
        sa.Column("stop_price", sa.Numeric(), nullable=True),
        sa.Column("time_in_force", sa.Text(), nullable=True, comment="null when only the broker told of the order"),
        sa.Column("good_after", sa.DateTime(timezone=True), nullable=True),
        sa.Column("parent_ref", sa.Text(), nullable=True),
        sa.Column(
            "oca_group", sa.Text(), nullable=True, comment="orders of one group end each other; as the broker echoes it"
        ),
        sa.Column(
            "placed_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="when it entered the journal, before it was sent",
        ),
        sa.Column("order_id", sa.Integer(), nullable=True, comment="the broker's number within the client id"),
        sa.Column("client_id", sa.Integer(), nullable=True),
        sa.Column("perm_id", sa.BigInteger(), nullable=True, comment="the broker's number for ever"),
        sa.Column("status", sa.Text(), nullable=True, comment="the broker's word; null: it has said nothing yet"),
        sa.Column("status_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("filled", sa.Integer(), server_default="0", nullable=False, comment="shares"),
        sa.Column("why_held", sa.Text(), nullable=True),
        sa.Column("error_code", sa.Integer(), nullable=True, comment="the last error or warning about it"),
        sa.Column("error_text", sa.Text(), nullable=True),
        sa.Column(
            "ended_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="filled, cancelled, refused or no longer listed; null: open",
        ),
        sa.CheckConstraint("action IN ('BUY', 'SELL')", name=op.f("ck_orders_action")),
        sa.ForeignKeyConstraint(["session"], ["sessions.session"], name=op.f("fk_orders_session_sessions")),
        sa.PrimaryKeyConstraint("order_ref", name=op.f("pk_orders")),
        comment="Every order of ours: what was asked for, and how the broker says it stands",
    )
    op.create_index("ix_orders_open", "orders", ["session"], unique=False, postgresql_where=sa.text("ended_at IS NULL"))
    op.create_index(op.f("ix_orders_session_ticker_number"), "orders", ["session", "ticker", "number"], unique=False)


def _trades() -> None:
    op.create_table(
        "trades",
        sa.Column("session", sa.Text(), nullable=False, comment="<account>-<yyyymmdd>"),
        sa.Column(
            "number", sa.Integer(), autoincrement=False, nullable=False, comment="running number within the session"
        ),
        sa.Column("ticker", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("shares", sa.Integer(), nullable=False, comment="the most held"),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("entry_price", sa.Numeric(), nullable=False, comment="average of all entry fills"),
        sa.Column("exit_price", sa.Numeric(), nullable=False, comment="average of all exit fills"),
        sa.Column("gross_pnl", sa.Numeric(), nullable=False),
        sa.Column("commissions", sa.Numeric(), nullable=True, comment="null while any is pending"),
        sa.Column("net_pnl", sa.Numeric(), sa.Computed("gross_pnl - commissions", persisted=True), nullable=True),
        sa.Column("exit_reason", sa.Text(), nullable=False, comment="stop, target, timed_exit, reversal, closure, ..."),
        sa.Column("atr", sa.Double(), nullable=True, comment="of the decision, dollars a share"),
        sa.Column(
            "capital_efficiency", sa.Double(), nullable=True, comment="shares x decision price / dollars allocated"
        ),
        sa.Column(
            "unprotected_ms",
            sa.BigInteger(),
            nullable=False,
            comment="market time in which working stops did not cover the position",
        ),
        sa.Column("adds", sa.Integer(), nullable=False, comment="scale-ins"),
        sa.CheckConstraint("side IN ('long', 'short')", name=op.f("ck_trades_side")),
        sa.ForeignKeyConstraint(["session"], ["sessions.session"], name=op.f("fk_trades_session_sessions")),
        sa.PrimaryKeyConstraint("session", "number", name=op.f("pk_trades")),
        comment="Round trips, flat to flat, with their P&L in dollars",
    )
    op.create_index(op.f("ix_trades_ticker_opened_at"), "trades", ["ticker", "opened_at"], unique=False)
