"""The exchange: orders, brackets, OCA groups, matching against the touch."""
