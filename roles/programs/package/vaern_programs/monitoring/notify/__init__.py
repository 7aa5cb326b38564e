"""Tells people by mail and webhook what the alarm service raises and clears."""
