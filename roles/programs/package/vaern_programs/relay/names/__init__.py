"""Sources that are declared by their DNS name: which address is whose now, and who is let in."""
