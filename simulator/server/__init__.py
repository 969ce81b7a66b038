"""The server: sockets, sessions, request desks, limits and the clock's drive; the venue behind it does the trading."""
