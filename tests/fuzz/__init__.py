"""Longer looks for counterexamples than a test may take. Not run by `make test`: what it finds becomes a test there."""
