"""Connects a municipality to the joint security operations centre (SOC), with one command."""

__version__ = "0.1.0"
