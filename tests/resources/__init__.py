"""What each resource does over its life, against the emulator, with a time of its own. Never under the engine."""
