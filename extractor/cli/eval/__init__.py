"""``extractor eval``: which prompt is better, what may land, and what the validator is worth."""
