"""Azure without Azure: what its programs declare, and the engine over the double of the provider."""
