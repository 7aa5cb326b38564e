"""What a collector runs: the archive, the administration of the broker, and the way to Event Hubs."""
