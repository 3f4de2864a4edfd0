"""The same with the oldest releases that the project allows; every other lane runs with the newest."""
