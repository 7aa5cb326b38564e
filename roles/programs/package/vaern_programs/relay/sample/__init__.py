"""The sample: some masked lines of each source that stay at the site, and what another reader makes of them."""
