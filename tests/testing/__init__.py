"""What is there for users' own tests."""
