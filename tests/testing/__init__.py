"""The tests of the package for users' tests."""
