"""The life of each resource, against the emulator, with a simulated clock. Never under the engine."""
