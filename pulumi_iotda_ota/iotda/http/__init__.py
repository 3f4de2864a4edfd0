"""HTTP: the transport, its limits, and how responses and errors are read."""
