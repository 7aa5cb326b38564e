"""The spool: which events it holds, what is confirmed of them, and what has to be sent again."""
