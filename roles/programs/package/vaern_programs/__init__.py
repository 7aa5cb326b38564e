"""The programs that vaern's hosts run; delivered as the Debian package vaern-programs."""
