"""What notices that something is not as declared: on each host, and at the collector."""
