"""Count history requests."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "history_requests",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("ticker", sa.Text(), nullable=False),
        sa.Column("end_ms", sa.BigInteger(), nullable=False, comment="end of the bars asked for, UTC epoch ms"),
        sa.Column("duration_seconds", sa.Integer(), nullable=False),
        sa.Column(
            "at_ms",
            sa.BigInteger(),
            nullable=False,
            comment="time of the request by the session's clock, UTC epoch ms",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_history_requests")),
        comment="Requests for history, for IB's pacing rules; only the last minutes matter",
    )
    op.create_index("ix_history_requests_recent", "history_requests", ["account", "at_ms"], unique=False)


def downgrade() -> None:
    """Go back."""
    op.drop_index("ix_history_requests_recent", table_name="history_requests")
    op.drop_table("history_requests")
