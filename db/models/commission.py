"""The table `commissions`."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base


class CommissionRecord(Base):
    """The commission of one execution. Apart from it, because either may be reported first."""

    __tablename__ = "commissions"
    __table_args__ = ({"comment": "What executions cost; no row or null: not yet reported, which is not zero"},)

    account: Mapped[str] = mapped_column(primary_key=True)
    exec_id: Mapped[str] = mapped_column(primary_key=True)
    commission: Mapped[Decimal | None] = mapped_column(comment="dollars; negative is a rebate; null: no figure yet")
    realized_pnl: Mapped[Decimal | None] = mapped_column(comment="the broker's own figure, dollars")
    added_by_reconcile: Mapped[bool] = mapped_column(default=False, server_default="false")
