"""A longer search for counterexamples than a test may take. `make test` does not run it."""
