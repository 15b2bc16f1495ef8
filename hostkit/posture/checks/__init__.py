"""One file per subject; each check is one function, found by being here."""
