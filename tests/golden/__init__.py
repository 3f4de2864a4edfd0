"""One table of lookups and results, run through every interface. Other lanes test the rules behind the results."""
