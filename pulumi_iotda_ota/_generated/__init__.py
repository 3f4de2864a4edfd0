"""What ``make generate`` makes from the tables in ``schema/``: signatures and documentation. Do not edit it."""
