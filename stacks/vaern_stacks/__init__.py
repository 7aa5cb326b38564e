"""Pulumi programs of the shared collectors and of each municipality, for every target."""
