"""A person checks what was flagged: a run's letters and records in a browser, every act in an append-only log.

``log`` and ``state`` hold what people did and what follows from it; the rest is the page. A
correction never overwrites the model's answer: the answer that counts is a fold over the log.
"""
