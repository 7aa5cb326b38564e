"""The watch of a host: looks at it and says what is wrong in a heartbeat."""
