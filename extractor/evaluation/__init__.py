"""Measuring: gold, scores, paired comparison of prompts, and the validator itself."""
