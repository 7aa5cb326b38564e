"""The alarm service of the collector: raises an alarm when something is silent, and clears it."""
