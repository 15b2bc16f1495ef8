"""The one range of uids that hostkit takes on a host: two for each client that may ever run there."""

UID_BASE = 70000
SLOTS = 256
UIDS = range(UID_BASE, UID_BASE + 2 * SLOTS)
