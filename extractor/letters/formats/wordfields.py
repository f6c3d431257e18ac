"""Form fields of older Word documents: drop-down lists, check boxes and text inputs, and what each shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

CHECKED, UNCHECKED = "\u2612", "\u2610"
_OFF = ("0", "false", "off", "none")


def is_off(value: str) -> bool:
    """Whether a switch is turned off; without a value it is on."""
    return value.lower() in _OFF


@dataclass
class FormField:
    """One field while its elements are read (ECMA-376 part 1, 17.16.17: ``ffData``).

    ``has_visible_words``: the document itself holds the field's words, so none are added.
    """

    has_visible_words: bool = False
    entries: list[str] = field(default_factory=list)
    values: dict[tuple[str, str], str] = field(default_factory=dict)

    def read(self, kind: str, name: str, attributes: Mapping[str, str]) -> None:
        """Take in an element ``name`` inside a ``ddList``, ``checkBox`` or ``textInput``."""
        if name == "listEntry":
            self.entries.append(attributes.get("val", ""))
        else:
            self.values[kind, name] = attributes.get("val", "")

    @property
    def words(self) -> str:
        """What Word shows for the field if the document holds no words for it."""
        if self.entries:
            chosen = self.values.get(("ddList", "result"), self.values.get(("ddList", "default"), "0"))
            index = int(chosen) if chosen.isascii() and chosen.isdigit() else 0
            return self.entries[index] if index < len(self.entries) else ""
        if self.is_check_box:
            own = self.values.get(("checkBox", "checked"))
            value = self.values.get(("checkBox", "default"), "0") if own is None else own
            return UNCHECKED if is_off(value) else CHECKED
        return self.values.get(("textInput", "default"), "")

    @property
    def is_check_box(self) -> bool:
        """Whether the field is a check box."""
        return ("checkBox", "") in self.values
