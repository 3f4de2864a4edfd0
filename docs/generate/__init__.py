"""Makes the reference in docs/ from the code, so that no rule is written twice; ``make docs`` writes it.

For contributors: it is not shipped, and nothing of the product imports it. It writes no sentence of its own about what
the product does: the words are those of the tables and docstrings.
"""
