"""What has arrived: search, export, ledger, repair, parity and redelivery, and the alarms about it."""
