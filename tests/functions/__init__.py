"""The functions by their public names, against the emulator over a socket. No engine, no rule by itself."""
