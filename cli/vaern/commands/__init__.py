"""One command a file: translate options, call a stage, print, and give the exit code."""
