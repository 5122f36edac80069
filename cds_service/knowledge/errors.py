"""The one error of the knowledge: what is wrong, and where to put it right."""

from __future__ import annotations


class KnowledgeError(ValueError):
    """A knowledge file says something that cannot be used.

    `file` is the name of a shipped file or the path of an overlay file, `key` the place in it ("64462.primaries",
    "line 12", or "" for the whole file), `problem` what is the matter there. The text is always a single line.
    """

    def __init__(self, file: str, key: str, problem: str) -> None:
        self.file = file
        self.key = key
        self.problem = " ".join(problem.split())
        super().__init__(": ".join(part for part in (file, key, self.problem) if part))
