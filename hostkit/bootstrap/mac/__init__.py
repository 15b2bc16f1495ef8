"""What bootstrap does on a Mac and not on Linux: pf's rules, the settings of Apple's tools, launchd's jobs."""
