"""The functions of a program: how they run, and their results."""
