"""Delivery: sends what is in the spool to the collector."""
