"""The tables, one a file."""

from db.models.alert import AlertRecord
from db.models.base import Base
from db.models.break_found import BreakRecord
from db.models.command import CommandRecord
from db.models.commission import CommissionRecord
from db.models.decision import DecisionRecord
from db.models.execution import ExecutionRecord
from db.models.history_request import HistoryRequestRecord
from db.models.journal_entry import JournalEntry
from db.models.order import OrderRecord
from db.models.session import Session
from db.models.settings_snapshot import SettingsSnapshot
from db.models.trade import TradeRecord

__all__ = [
    "AlertRecord",
    "Base",
    "BreakRecord",
    "CommandRecord",
    "CommissionRecord",
    "DecisionRecord",
    "ExecutionRecord",
    "HistoryRequestRecord",
    "JournalEntry",
    "OrderRecord",
    "Session",
    "SettingsSnapshot",
    "TradeRecord",
]
