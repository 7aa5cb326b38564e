"""Booted hosts: bare, driven as a project by the real command, and as the pipeline from device to archive."""
