"""Recorded answers: one tape per letter x prompt x model, replayed without a network."""

from extractor.models.cassettes.matching import body_sha
from extractor.models.cassettes.tape import Tape, tape_path, transport

__all__ = ["Tape", "body_sha", "tape_path", "transport"]
