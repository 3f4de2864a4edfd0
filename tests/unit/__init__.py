"""Rules and properties on plain values, and tables held against the code. What asks a service is in other lanes."""
