"""The command line, as a shell runs it: against the emulator, on a pipe and on a terminal. Never a mock of either."""
