"""Doubles: what answers in the place of a service or a library that tests cannot have, with its own refusals."""
