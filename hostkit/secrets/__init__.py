"""Where secret values come from: read when needed, never kept."""
