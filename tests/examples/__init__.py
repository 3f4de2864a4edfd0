"""The demo, as a newcomer sees it. The examples' own commands are run by tests/docs."""
