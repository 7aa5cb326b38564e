"""What rsyslog loads of ours: whether it fits, and what waits for it."""
