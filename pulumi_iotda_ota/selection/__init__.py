"""Choosing among packages: pure rules over plain values, and the reason for each package that was passed over."""
