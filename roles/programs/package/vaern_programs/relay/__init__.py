"""What a relay runs: cleaning, spool and delivery."""
