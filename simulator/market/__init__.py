"""The market: instruments, calendar, tapes recorded or synthetic, bars."""
