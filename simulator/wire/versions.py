"""Server versions that the gateway speaks, where a layout or a meaning changes, and the choice of one."""

from __future__ import annotations

import re
from typing import Final

LOWEST: Final = 157
"""ib_async and the official client of 9.81 both know it; older layouts are not served."""
HIGHEST: Final = 178
"""The last version of the encoding that all clients share; from 179 on layouts differ, from 201 on ids are raw."""

DURATION: Final = 158
TICKS_IN_SHARES: Final = 159
POST_TO_ATS: Final = 160
AUTO_CANCEL_PARENT: Final = 162
SIZE_MIN_TICK: Final = 163
SIZE_RULES: Final = 164
ADVANCED_REJECT: Final = 166
MANUAL_ORDER_TIME: Final = 169
PEG_OFFSETS: Final = 170
TIMES_WITH_ZONE: Final = 174
HISTORY_IN_SHARES: Final = 175
ISSUER_ID: Final = 176
NO_FA_PROFILE: Final = 177
PENDING_PRICE_REVISION: Final = 178

_OFFER = re.compile(r"v(\d{1,4})(?:\.\.(\d{1,4}))?(?: .*)?", re.DOTALL)


class HandshakeError(ValueError):
    """The client's first bytes are not those of a TWS client, or its versions and ours do not meet."""


def negotiate(offer: str) -> int:
    """Version for a client that offers `v<min>..<max>` or `v<n>`, options after a blank ignored.

    Raises HandshakeError when the text is another one or the ranges do not overlap.
    """
    found = _OFFER.fullmatch(offer)
    if found is None:
        raise HandshakeError(f"version offer {offer[:40]!r}: expected v<min>..<max>, such as v157..178")
    low = int(found[1])
    high = int(found[2] or found[1])
    version = min(high, HIGHEST)
    if version < max(low, LOWEST):
        raise HandshakeError(f"versions {low}..{high} offered, {LOWEST}..{HIGHEST} spoken here")
    return version
