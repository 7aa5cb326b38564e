"""The sentry of the collector: raises an alarm when something is silent, and clears it."""
