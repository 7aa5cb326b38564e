"""The ledger of the collector: what relays say they have sent, against what the archive holds."""
