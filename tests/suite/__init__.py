"""The tests themselves: what a run reports, and that it does not matter how it was started."""
