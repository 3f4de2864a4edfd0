"""Programs under the real `pulumi`, on local backends, against the emulator. What needs no engine is elsewhere."""
