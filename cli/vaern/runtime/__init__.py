"""What every stage uses: where files are, run locks, secrets in files, YAML, and ssh to the hosts."""
