"""``extractor batch``: letters by batch files, for endpoints that answer in their own time."""
