"""What has arrived: searched and exported, counted against what was sent, and sent again; and the alarms about it."""
