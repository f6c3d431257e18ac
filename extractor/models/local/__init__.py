"""Models that run on this machine, in a process of the run: their files, what this machine bears, their process.

llama.cpp decodes; ``serve`` is the one module that loads it, and runs in that process only.
"""
