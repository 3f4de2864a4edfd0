"""What goes wrong on a network, on real sockets. Never with a mocked transport, and never with a test of time."""
