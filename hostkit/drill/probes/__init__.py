"""One file per group of probes; each probe is one self-contained function, its source run inside the sandbox."""
