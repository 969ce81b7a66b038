"""placeOrder (3): 114 fields at version 178, 110 at 157, read by name into one table, then into an OrderRequest.

What the gateway would have to pretend to do is refused by name (`unsupported`): an order with conditions or an
algorithm that is executed without them would be a lie.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from simulator.model import UNITS_PER_DOLLAR, Instrument, OrderRequest
from simulator.wire import fields, versions
from simulator.wire.fields import FieldError, FieldReader
from simulator.wire.requests import ContractText
from simulator.wire.times import parse_moment

_MAIN: Final = (
    "action totalQuantity orderType lmtPrice auxPrice tif ocaGroup account openClose origin orderRef transmit parentId"
    " blockOrder sweepToFill displaySize triggerMethod outsideRth hidden"
).split()
_ADVISOR: Final = "sharesAllocation discretionaryAmt goodAfterTime goodTillDate faGroup faMethod faPercentage".split()
_MIDDLE: Final = (
    "modelCode shortSaleSlot designatedLocation exemptCode ocaType rule80A settlingFirm allOrNone minQty percentOffset"
    " eTradeOnly firmQuoteOnly nbboPriceCap auctionStrategy startingPrice stockRefPrice delta stockRangeLower"
    " stockRangeUpper overridePercentageConstraints volatility volatilityType deltaNeutralOrderType"
    " deltaNeutralAuxPrice"
).split()
_SCALE: Final = (
    "continuousUpdate referencePriceType trailStopPrice trailingPercent scaleInitLevelSize scaleSubsLevelSize"
    " scalePriceIncrement"
).split()
_TABLE: Final = "scaleTable activeStartTime activeStopTime hedgeType".split()
_CLEARING: Final = "optOutSmartRouting clearingAccount clearingIntent notHeld".split()
_FLAGS: Final = "algoId whatIf orderMiscOptions solicited randomizeSize randomizePrice".split()
_TAIL: Final = (
    "adjustedOrderType triggerPrice lmtPriceOffset adjustedStopPrice adjustedStopLimitPrice adjustedTrailingAmount"
    " adjustableTrailingUnit extOperator softDollarTierName softDollarTierValue cashQty mifid2DecisionMaker"
    " mifid2DecisionAlgo mifid2ExecutionTrader mifid2ExecutionAlgo dontUseAutoPriceForHedge isOmsContainer"
    " discretionaryUpToLimitPrice usePriceMgmtAlgo"
).split()
_LATE: Final = (
    (versions.DURATION, "duration"),
    (versions.POST_TO_ATS, "postToAts"),
    (versions.AUTO_CANCEL_PARENT, "autoCancelParent"),
    (versions.ADVANCED_REJECT, "advancedErrorOverride"),
    (versions.MANUAL_ORDER_TIME, "manualOrderTime"),
)
_FLOAT_NOISE: Final = Decimal("0.001")
"""In 1/10,000 dollar: clients send doubles, 75.10000000000001 is 75.1."""
_CONDITION_FIELDS: Final = {1: 6, 3: 3, 4: 3, 5: 4, 6: 5, 7: 5}
_ECHOED: Final = (
    "openClose origin hidden discretionaryAmt faGroup faMethod faPercentage faProfile modelCode goodAfterTime"
    " goodTillDate rule80A percentOffset settlingFirm shortSaleSlot designatedLocation exemptCode displaySize"
    " blockOrder sweepToFill minQty triggerMethod optOutSmartRouting clearingAccount clearingIntent notHeld solicited"
    " randomizeSize randomizePrice lmtPriceOffset softDollarTierName softDollarTierValue cashQty"
    " dontUseAutoPriceForHedge isOmsContainer discretionaryUpToLimitPrice usePriceMgmtAlgo duration postToAts"
    " autoCancelParent trailingPercent"
).split()


@dataclass(frozen=True, slots=True)
class PlaceOrder:
    """The order as the client wrote it: texts by field name; `unsupported` names a feature that is not faked."""

    order_id: int
    contract: ContractText
    sec_id_type: str
    sec_id: str
    texts: dict[str, str]
    unsupported: str

    @staticmethod
    def read(reader: FieldReader, version: int) -> PlaceOrder:
        """orderId, contract, secIdType, secId, then the order; no version field."""
        order_id, contract = reader.identity("orderId"), ContractText.read(reader)
        sec_id_type, sec_id = reader.text("secIdType"), reader.text("secId")
        lists = _Lists()
        texts = _read_texts(reader, version, contract, lists)
        return PlaceOrder(order_id, contract, sec_id_type, sec_id, texts, lists.unsupported(contract, texts))

    def request(self, instrument: Instrument) -> OrderRequest:
        """The order for the venue. Raises FieldError or TimeTextError at a value that cannot be read."""
        texts = self.texts
        limit, off_limit = _price("lmtPrice", texts)
        aux, off_aux = _price("auxPrice", texts)
        trail, off_trail = _price("trailStopPrice", texts)
        quantity = fields.decimal_of("totalQuantity", texts["totalQuantity"])
        return OrderRequest(
            order_id=self.order_id,
            instrument=instrument,
            action=texts["action"],
            quantity=quantity if quantity is not None else Decimal(0),
            order_type=texts["orderType"],
            limit_price=limit,
            aux_price=aux,
            tif=texts["tif"],
            oca_group=texts["ocaGroup"],
            oca_type=_integer("ocaType", texts),
            account=texts["account"],
            order_ref=texts["orderRef"],
            transmit=fields.flag_of("transmit", texts["transmit"]),
            parent_id=_integer("parentId", texts),
            outside_rth=fields.flag_of("outsideRth", texts["outsideRth"]),
            good_after_ms=_moment("goodAfterTime", texts),
            good_till_ms=_moment("goodTillDate", texts),
            trail_stop_price=trail,
            trailing_percent=fields.number_of("trailingPercent", texts["trailingPercent"]),
            trigger_method=_integer("triggerMethod", texts),
            all_or_none=fields.flag_of("allOrNone", texts["allOrNone"]),
            what_if=fields.flag_of("whatIf", texts["whatIf"]),
            price_off_grid=off_limit or off_aux or off_trail,
            extras=self._extras(),
        )

    def _extras(self) -> dict[str, str]:
        kept = {name: fields.text(self.texts[name]) for name in _ECHOED if self.texts.get(name)}
        kept["exchange"] = self.contract.exchange or "SMART"
        return {name: text for name, text in kept.items() if text not in fields.UNSET_SPELLINGS}


class _Lists:
    """What the variable parts of the request held."""

    def __init__(self) -> None:
        self.conditions = 0
        self.scale = False

    def unsupported(self, contract: ContractText, texts: dict[str, str]) -> str:
        """The first feature in the order that the gateway refuses to fake; empty: none."""
        wanted = {
            "combination orders": contract.sec_type == "BAG",
            "order conditions": self.conditions > 0,
            "scale orders": self.scale,
            "algorithms": bool(texts["algoStrategy"]),
            "hedge orders": bool(texts["hedgeType"]),
            "adjusted stops": texts["adjustedOrderType"] not in ("", "None"),
            "delta-neutral orders": texts["deltaNeutralOrderType"] not in ("", "None"),
            "a cash quantity": bool(fields.number_of("cashQty", texts["cashQty"])),
            "a minimum quantity": bool(fields.integer_of("minQty", texts["minQty"])),
            "a discretionary amount": bool(fields.number_of("discretionaryAmt", texts["discretionaryAmt"])),
        }
        return next((name for name, is_wanted in wanted.items() if is_wanted), "")


def _read_texts(reader: FieldReader, version: int, contract: ContractText, lists: _Lists) -> dict[str, str]:
    texts: dict[str, str] = {}

    def take(names: list[str]) -> None:
        for name in names:
            texts[name] = reader.text(name)

    take(_MAIN)
    if contract.sec_type == "BAG":
        for part, each in (("comboLegs", 8), ("orderComboLegs", 1), ("smartComboRoutingParams", 2)):
            reader.skip(part, reader.count(part, each) * each)
    take(_ADVISOR)
    if version < versions.NO_FA_PROFILE:
        take(["faProfile"])
    take(_MIDDLE)
    if texts["deltaNeutralOrderType"]:
        reader.skip("deltaNeutral", 8)
    take(_SCALE)
    increment = fields.number_of("scalePriceIncrement", texts["scalePriceIncrement"])
    if increment is not None and increment > 0:
        lists.scale = True
        reader.skip("scale", 7)
    take(_TABLE)
    if texts["hedgeType"]:
        reader.skip("hedgeParam")
    take(_CLEARING)
    if reader.flag("deltaNeutralContract"):
        reader.skip("deltaNeutralContract", 3)
    take(["algoStrategy"])
    if texts["algoStrategy"]:
        reader.skip("algoParams", reader.count("algoParams", 2) * 2)
    take(_FLAGS)
    if texts["orderType"] in ("PEG BENCH", "PEGBENCH"):
        reader.skip("pegBench", 5)
    lists.conditions = _skip_conditions(reader)
    take(_TAIL)
    take([name for since, name in _LATE if version >= since])
    return texts


def _skip_conditions(reader: FieldReader) -> int:
    count = reader.count("conditions", 4)
    for _ in range(count):
        kind = reader.integer("conditionType")
        if kind not in _CONDITION_FIELDS:
            raise FieldError(f"conditionType: {kind} is not one of {', '.join(map(str, _CONDITION_FIELDS))}")
        reader.skip("condition", _CONDITION_FIELDS[kind])
    if count:
        reader.skip("conditions", 2)
    return count


def _integer(name: str, texts: dict[str, str]) -> int:
    return fields.integer_of(name, texts[name]) or 0


def _price(name: str, texts: dict[str, str]) -> tuple[int | None, bool]:
    """The price in 1/10,000 dollar, and whether it had to be rounded to that."""
    value = fields.decimal_of(name, texts[name])
    if value is None:
        return None, False
    exact = value * UNITS_PER_DOLLAR
    rounded = exact.to_integral_value()
    return int(rounded), abs(exact - rounded) > _FLOAT_NOISE


def _moment(name: str, texts: dict[str, str]) -> int | None:
    return parse_moment(texts[name]) if texts[name] else None
