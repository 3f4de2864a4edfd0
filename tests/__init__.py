"""Tests by lane: each folder is a lane, and says below what it holds and what it never does."""
