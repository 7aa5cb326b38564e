"""The archive: writing it, finding events in it, and who has read it."""
