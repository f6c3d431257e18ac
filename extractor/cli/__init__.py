"""The command line: one file a command; each parses, calls, formats and picks the exit code."""
