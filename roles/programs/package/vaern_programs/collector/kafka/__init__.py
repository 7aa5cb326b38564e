"""Administration of the broker: topics, access lists and quotas. Decision 33."""
