"""Lookups: the query, the search, the session that remembers it, and the text of its errors."""
