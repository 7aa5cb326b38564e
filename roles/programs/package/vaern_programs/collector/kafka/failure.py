"""What the programs that administer the broker raise."""

from __future__ import annotations


class BrokerError(Exception):
    """The broker refused, or does not answer. The text says what was asked for and why it failed."""
