"""Tests against the publications of others: signing vectors, recorded responses, the vendor's SDK."""
