"""Draws docs/order-life.md from the transition table: `python -m tests.support.order_life` writes it anew."""

from __future__ import annotations

from pathlib import Path

from core.bracket import LIVE_STAGES, TRANSITIONS, Heard, Stage

HEAD = """# The life of an order

Drawn from the table in `core/bracket.py`, which is the only place where an order changes its stage
(`python -m tests.support.order_life` draws it anew; a test holds the two together). What is not drawn changes nothing:
messages repeat, skip and come late, and only a complete read-back of the broker brings an ended order back.

"""

MEANINGS = {
    Stage.SENT: "in flight, nothing heard yet",
    Stage.LIVE: "the broker has it; held, or working",
    Stage.CHANGING: "a modification is in flight; the order itself is live",
    Stage.CANCELLING: "a cancel is in flight; it may still fill",
    Stage.UNKNOWN: "no answer, or the link was lost; only the broker's word resolves it",
    Stage.FILLED: "all its shares have executions",
    Stage.CANCELLED: "ended by cancellation",
    Stage.REJECTED: "never was at the broker, or no longer is",
    Stage.ABSENT: "a complete read-back does not know it",
}


def draw() -> str:
    """The page: a diagram and a table."""
    lines = ["```mermaid", "stateDiagram-v2", "    [*] --> sent"]
    for stage in Stage:
        targets: dict[Stage, list[Heard]] = {}
        for heard, following in TRANSITIONS[stage].items():
            targets.setdefault(following, []).append(heard)
        lines += [f"    {stage} --> {following}: {', '.join(heards)}" for following, heards in targets.items()]
    lines += [f"    {stage} --> [*]" for stage in Stage if stage not in LIVE_STAGES]
    lines += ["```", "", "| stage | meaning | may still fill |", "|---|---|---|"]
    lines += [f"| {stage} | {MEANINGS[stage]} | {'yes' if stage in LIVE_STAGES else 'no'} |" for stage in Stage]
    return HEAD + "\n".join(lines) + "\n"


if __name__ == "__main__":
    Path(__file__).parents[2].joinpath("docs/order-life.md").write_text(draw())
