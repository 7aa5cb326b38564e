"""Declarations and samples made for tests."""
