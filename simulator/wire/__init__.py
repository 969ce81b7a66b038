"""The TWS wire: frames, fields, requests and message layouts for server versions 157..178; no sockets, no state."""
