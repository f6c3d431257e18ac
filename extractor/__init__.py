"""Letterproof: folders of messy letters in, strict records out, every value pointing at the words that prove it."""
