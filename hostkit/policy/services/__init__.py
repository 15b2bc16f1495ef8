"""Services as data: one YAML file each, the client's lines about them, and what the gateway is told."""
