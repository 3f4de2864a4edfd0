"""Generate the reference parts of docs/ from the code, so that no fact is written twice. ``make docs`` runs it.

It is for contributors: it is not shipped, and the product does not import it. Its sentences about the product come from
the tables and docstrings.
"""
