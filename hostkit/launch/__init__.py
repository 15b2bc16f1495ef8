"""From a policy to a running sandbox: plan (what), session (the order of things), walls (the proof)."""
