"""Faults: a script of simulated times, a control port and a random schedule, all injected between server and socket."""
