"""What everything shares: domain types, ports, errors, settings, ids, text. No I/O, no vendor."""
