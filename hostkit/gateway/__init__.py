"""All that the gateway image holds: one process per client, deny by default."""
