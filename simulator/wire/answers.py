"""The short messages of a server, one function each: values in, payload out. Long ones have files of their own.

Message ids and field orders: the table of server messages for versions 157..178, checked against recorded frames.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from simulator.wire import fields, versions
from simulator.wire.framing import payload_of

Money = float | Decimal | int | None


def server_version(version: int, connection_time: str) -> bytes:
    """The handshake's answer: exactly two fields, no message id."""
    return payload_of((str(version), connection_time))


def managed_accounts(accounts: Sequence[str]) -> bytes:
    """15: exactly three fields, clients count on it."""
    return payload_of(("15", "1", ",".join(accounts)))


def next_valid_id(order_id: int) -> bytes:
    """9: exactly three fields."""
    return payload_of(("9", "1", str(order_id)))


def error(version: int, request_id: int, code: int, text: str, reject_json: str = "") -> bytes:
    """4: an error, a warning or a notice; -1 names no request. `reject_json` is empty or valid JSON, from 166 on."""
    body = ["4", "2", str(request_id), str(code), fields.text(text)]
    if version >= versions.ADVANCED_REJECT:
        body.append(fields.text(reject_json))
    return payload_of(body)


def current_time(epoch_seconds: int) -> bytes:
    """49."""
    return b"49\x001\x00%d\x00" % epoch_seconds


def account_value(key: str, value: str, currency: str, account: str) -> bytes:
    """6."""
    return payload_of(("6", "2", key, fields.text(value), currency, account))


def account_time(hours_minutes: str) -> bytes:
    """8: `14:34`."""
    return payload_of(("8", "1", hours_minutes))


def account_download_end(account: str) -> bytes:
    """54."""
    return payload_of(("54", "1", account))


def account_summary(request_id: int, account: str, tag: str, value: str, currency: str) -> bytes:
    """63."""
    return payload_of(("63", "1", str(request_id), account, tag, fields.text(value), currency))


def account_update_multi(request_id: int, account: str, model: str, key: str, value: str, currency: str) -> bytes:
    """73."""
    return payload_of(("73", "1", str(request_id), account, model, key, fields.text(value), currency))


def ended(message_id: int, request_id: int) -> bytes:
    """52, 55, 57, 64, 72, 74: the end of a request's answers."""
    return payload_of((str(message_id), "1", str(request_id)))


def position_end() -> bytes:
    """62."""
    return payload_of(("62", "1"))


def open_order_end() -> bytes:
    """53."""
    return payload_of(("53", "1"))


def completed_orders_end() -> bytes:
    """102: the id and nothing else."""
    return payload_of(("102",))


def order_status(
    order_id: int,
    status: str,
    filled: int,
    remaining: int,
    average_price: Money,
    perm_id: int,
    parent_id: int,
    last_price: Money,
    client_id: int,
    why_held: str,
) -> bytes:
    """3: no version field; the last field is mktCapPrice, always 0. Whole prices are written `0`, as recorded."""
    return payload_of(
        (
            "3",
            str(order_id),
            status,
            fields.size(filled),
            fields.size(remaining),
            _short(average_price),
            str(perm_id),
            str(parent_id),
            _short(last_price),
            str(client_id),
            why_held,
            "0",
        )
    )


def _short(value: Money) -> str:
    text = fields.price(value or 0)
    return text.removesuffix(".0")


def commission_report(execution_id: str, commission: Money, currency: str, realized: Money) -> bytes:
    """59: realized P&L unset on an opening fill; yield unset, redemption date empty."""
    return payload_of(
        ("59", "1", execution_id, fields.price(commission), currency, fields.price(realized), fields.UNSET_TEXT, "")
    )


def market_data_type(request_id: int, kind: int) -> bytes:
    """58: 1 live, 2 frozen, 3 delayed, 4 delayed frozen."""
    return payload_of(("58", "1", str(request_id), str(kind)))


def tick_request_parameters(request_id: int, min_tick: Money, exchange: str, permissions: int) -> bytes:
    """81: no version field."""
    return payload_of(("81", str(request_id), fields.price(min_tick), exchange, str(permissions)))


def tick_price(request_id: int, tick_type: int, price: Money, size: int) -> bytes:
    """1: always seven fields; the attribute mask says canAutoExecute for bid and ask."""
    mask = b"1" if tick_type in (1, 2) else b"0"
    return b"1\x006\x00%d\x00%d\x00%s\x00%d\x00%s\x00" % (
        request_id,
        tick_type,
        fields.price(price).encode(),
        size,
        mask,
    )


def tick_size(request_id: int, tick_type: int, size: int) -> bytes:
    """2."""
    return b"2\x006\x00%d\x00%d\x00%d\x00" % (request_id, tick_type, size)


def tick_generic(request_id: int, tick_type: int, value: Money) -> bytes:
    """45."""
    return payload_of(("45", "6", str(request_id), str(tick_type), fields.price(value)))


def tick_string(request_id: int, tick_type: int, value: str) -> bytes:
    """46."""
    return payload_of(("46", "6", str(request_id), str(tick_type), value))


def head_timestamp(request_id: int, text: str) -> bytes:
    """88: no version field."""
    return payload_of(("88", str(request_id), text))


def market_rule(rule_id: int, increments: Iterable[tuple[Money, Money]]) -> bytes:
    """93: pairs of (price from which it holds, increment)."""
    pairs = [(fields.price(low), fields.price(step)) for low, step in increments]
    return payload_of(("93", str(rule_id), str(len(pairs)), *(text for pair in pairs for text in pair)))


def pnl(request_id: int, daily: Money, unrealized: Money, realized: Money) -> bytes:
    """94: no version field."""
    return payload_of(("94", str(request_id), fields.price(daily), fields.price(unrealized), fields.price(realized)))


def pnl_single(request_id: int, position: int, daily: Money, unrealized: Money, realized: Money, value: Money) -> bytes:
    """95: no version field."""
    amounts = (fields.price(amount) for amount in (daily, unrealized, realized, value))
    return payload_of(("95", str(request_id), fields.size(position), *amounts))


def user_info(request_id: int, text: str) -> bytes:
    """107: the white-branding id."""
    return payload_of(("107", str(request_id), fields.text(text)))
