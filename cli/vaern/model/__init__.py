"""Types that stages meet through; frozen, free of I/O, and importing nothing but pydantic."""
