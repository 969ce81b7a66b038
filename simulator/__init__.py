"""A simulated TWS / IB Gateway: market, exchange and account behind one simulated clock, spoken to on the real wire."""
