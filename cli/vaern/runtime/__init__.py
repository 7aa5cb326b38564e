"""What every stage stands on: where files are, one run at a time, secrets in files, and ssh to the hosts."""
