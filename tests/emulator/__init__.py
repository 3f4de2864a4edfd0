"""The emulator over bare HTTP, without the client."""
