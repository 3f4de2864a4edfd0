"""The functions that a program calls: their forms, what they return, and how they are run."""
