"""Mutation tests: how many small faults in the core the tests notice. ``make mutate`` starts them."""
