"""One function per event: `on_<event>(desk, event)` changes the state and leaves commands on the desk."""
