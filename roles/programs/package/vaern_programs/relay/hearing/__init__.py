"""Who sends to a relay, also those whom nobody has declared: heard before the firewall; nothing is taken in."""
