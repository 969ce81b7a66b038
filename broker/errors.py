"""What can go wrong between us and the broker, each in words for a person."""

from __future__ import annotations

from enum import StrEnum


class Unavailability(StrEnum):
    """Why the broker can't be used; the text of the exception says what to do about it."""

    DOWN = "down"  # nothing listens
    SILENT = "silent"  # accepts, then says nothing
    NOT_LOGGED_IN = "not_logged_in"
    TOO_OLD = "too_old"  # speaks a version of the API that ib_async does not
    CLIENT_ID_TAKEN = "client_id_taken"  # 326
    READ_ONLY = "read_only"
    WRONG_ACCOUNT = "wrong_account"
    WRONG_MODE = "wrong_mode"  # a live account where paper was meant, or the reverse
    LOST = "lost"  # was connected, is no more
    TIMED_OUT = "timed_out"  # connected, and one request got no answer
    REFUSED = "refused"  # connected, and one request was answered with an error
    PACED = "paced"  # connected, and asking now would break IB's pacing rules


class BrokerError(Exception):
    """Base of what broker/ raises."""


class BrokerUnavailable(BrokerError):
    """The broker can't be used now; `why` classifies, the text explains."""

    def __init__(self, why: Unavailability, words: str) -> None:
        super().__init__(words)
        self.why = why


class RequestTimedOut(BrokerUnavailable):
    """A request got no answer. No answer is never an empty answer."""

    def __init__(self, words: str, timeout_seconds: float) -> None:
        super().__init__(Unavailability.TIMED_OUT, f"no answer to {words} within {timeout_seconds:g} s")


class RequestRefused(BrokerUnavailable):
    """The broker answered a request with an error."""

    def __init__(self, words: str, code: int, text: str) -> None:
        super().__init__(Unavailability.REFUSED, f"{words} was refused with {code}: {text}")
        self.code = code
        self.text = text


class AnswerUnreadable(BrokerUnavailable):
    """The broker answered a request with something that we can't understand; the cause is chained."""

    def __init__(self, words: str, cause: Exception) -> None:
        super().__init__(Unavailability.REFUSED, f"the answer to {words} could not be read: {cause}")
        self.__cause__ = cause


class HistoryBudgetSpent(BrokerUnavailable):
    """The pacing rules of history allow no request before `retry_at_ms` (UTC epoch ms of the session's clock)."""

    def __init__(self, words: str, retry_at_ms: int) -> None:
        super().__init__(Unavailability.PACED, f"{words} has to wait: the history budget is spent")
        self.retry_at_ms = retry_at_ms


class ContractUnknown(BrokerError):
    """The broker knows no such US stock, or more than one."""

    def __init__(self, ticker: str, problem: str) -> None:
        super().__init__(f"ticker {ticker}: {problem}")
        self.ticker = ticker


class UnknownBrokerWord(BrokerError):
    """The broker said something that no table of ours holds; it is rejected, never defaulted."""

    def __init__(self, field: str, value: object, known: str) -> None:
        super().__init__(f"{field} = {value!r} is unknown: {known}")
        self.field = field
        self.value = value


class MessageUnreadable(BrokerError):
    """A message could not be decoded or translated; the cause is chained."""

    def __init__(self, fields: list[str], cause: BaseException) -> None:
        super().__init__(f"message {'|'.join(fields[:40])} could not be read: {type(cause).__name__}: {cause}")
        self.__cause__ = cause
