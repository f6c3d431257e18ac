"""Every error the engine raises on purpose.

ExtractorError                  message + hint: what happened, what to do next
├── UsageError                  the command or the workspace is wrong (exit code 2)
│   ├── WorkspaceError          no workspace, broken workspace.toml, two of one name
│   ├── LetterTypeError         workspace code that cannot be used, e.g. a leaf without a marker
│   ├── PromptError             unknown, broken or edited prompt
│   ├── ModelNameError          unknown provider, missing key
│   ├── LedgerError             the run folder cannot be used
│   └── RecordError             a line that should be a record is not one
├── LetterError                 this one letter cannot be read; the run continues
├── ModelError                  the model gave no usable answer to this one letter
│   └── TransportError          the endpoint could not be reached or kept failing (exit code 4)
├── CassetteError               a recording is missing, stale or used up (exit code 3)
├── IncompleteRunError          a run has ended and letters are left (exit code 4)
└── StoppedError                the run is ending, so this letter was not asked (exit code 4)
"""

from __future__ import annotations


class ExtractorError(Exception):
    """Base of all expected errors.

    ``message``: what happened and where. ``hint``: what to do next. Neither ever
    holds text of a letter or a key.
    """

    code = "error"

    def __init__(self, message: str, *, hint: str = "", code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if code is not None:
            self.code = code

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message


class UsageError(ExtractorError):
    """The user asked for something that cannot be done as asked."""

    code = "usage"


class WorkspaceError(UsageError):
    """The workspace folder is missing or broken."""

    code = "workspace"


class LetterTypeError(UsageError):
    """A letter type's code cannot be used."""

    code = "letter_type"


class PromptError(UsageError):
    """A prompt is unknown, broken, or was edited after its release."""

    code = "prompt"


class ModelNameError(UsageError):
    """The model name cannot be resolved, or its key is not set."""

    code = "model_name"


class LedgerError(UsageError):
    """The run folder or its ledger cannot be used."""

    code = "ledger"


class RecordError(UsageError):
    """A line that should be a record is not one."""

    code = "record"


class LetterError(ExtractorError):
    """One letter cannot be read. ``code`` is stable: ``empty``, ``binary``, ``encoding``, ..."""

    code = "letter"


class ModelError(ExtractorError):
    """The model's reply cannot be used. ``code`` is stable: ``refusal``, ``truncated``, ..."""

    code = "model"


class TransportError(ModelError):
    """The endpoint could not be reached, or kept refusing."""

    code = "transport"


class EngineError(ExtractorError):
    """The cluster that reads files cannot be reached any more."""

    code = "engine"


class CassetteError(ExtractorError):
    """A recorded answer is missing, stale or used up."""

    code = "cassette"


class StoppedError(ExtractorError):
    """The run is ending: a call that had not been made is not made any more."""

    code = "stopped"


class IncompleteRunError(ExtractorError):
    """A run has ended, and ``left`` letters have no record from it; ``first`` is why one of them was not answered."""

    code = "incomplete"

    def __init__(self, left: int, first: ExtractorError | None = None) -> None:
        why = f"; first: {first.message}" if first else ""
        letters = "1 letter was" if left == 1 else f"{left:,} letters were"
        super().__init__(f"{letters} not answered{why}", hint="run again with the same folder to continue")
        self.left = left
        self.first = first
