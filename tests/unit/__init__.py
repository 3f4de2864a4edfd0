"""Rules and properties on plain values, and tables compared with the code. Tests that query a service are elsewhere."""
