"""The account: cash, positions, P&L, commissions, margin."""
