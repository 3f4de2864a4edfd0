"""The selection among packages: rules over plain values, and the reason for each skipped package."""
