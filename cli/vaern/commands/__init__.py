"""One file for each command: translate the options, call a stage, print the result and return the exit code."""
