"""The gateway's end of the tunnel: what the path to each hub carries, and where a hub known by name is now."""
