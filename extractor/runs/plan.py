"""Plans: what all letters of a run have in common."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property

from extractor.letters.letter import Letter, Starts
from extractor.lettertypes.lettertype import LetterType
from extractor.lettertypes.mixed import starts_of, type_of
from extractor.lettertypes.reading import Reading
from extractor.models.model import Model, Usage
from extractor.models.offline import NAME as OFFLINE
from extractor.models.patches import Patches
from extractor.models.prices import Cost, Tariff
from extractor.models.prompts import Prompt
from extractor.models.strategy import STRATEGIES, Strategy

# How often findings are sent back, unless a command sets it.
DEFAULT_REASKS = 1
# What is still wrong after so many corrections stays wrong.
MOST_REASKS = 5


@dataclass(frozen=True)
class Plan:
    """What every letter of a run has in common.

    ``reasks``: how often findings may be sent back. ``tariff``: what the model's tokens cost. ``strict``: every
    wrong value keeps its letter from being accepted; none is withheld. ``second``: the plan of another model, which is
    asked once about letters that would need review. ``others``: plans for further letter types, of the same
    model; each letter then goes to the plan whose type recognizes it. ``asks_unrecognized``: whether a language model
    is asked about letters that the reader does not recognize; whatever it answers, none of them is accepted.
    """

    letter_type: LetterType
    model: Model
    prompt: Prompt | None = None
    reasks: int = DEFAULT_REASKS
    tariff: Tariff = field(default_factory=Tariff)
    strict: bool = False
    second: Plan | None = None
    others: tuple[Plan, ...] = ()
    asks_unrecognized: bool = True

    @property
    def by_type(self) -> tuple[Plan, ...]:
        """This plan and those for further letter types."""
        return (self, *self.others)

    @property
    def starts(self) -> Starts | None:
        """Where letters begin in a text that may hold several."""
        return starts_of([plan.letter_type for plan in self.by_type])

    def of(self, letter: Letter) -> Plan:
        """The plan for a letter. Raises ``LetterError`` if its type is not clear."""
        if not self.others:
            return self
        kind = type_of(letter, [plan.letter_type for plan in self.by_type])
        return next(plan for plan in self.by_type if plan.letter_type is kind)

    @cached_property
    def strategy(self) -> Strategy:
        """How this plan's prompt gets a whole answer out of its model."""
        return STRATEGIES[self.prompt.front.strategy if self.prompt else "plain"](self.letter_type)

    @cached_property
    def patches(self) -> Patches | None:
        """Patches of single values, if that is how this plan's prompt has findings corrected."""
        wanted = self.prompt is not None and self.prompt.front.corrections == "patch" and not self.is_offline
        return Patches(self.letter_type.schema) if wanted else None

    @property
    def is_offline(self) -> bool:
        """Whether no language model is asked."""
        return self.model.name == OFFLINE

    def leaves_out(self, reading: Reading) -> bool:
        """Whether no model is asked about a letter of this reading: it is not of the type, or of an unknown form."""
        return not (reading.recognized or self.asks_unrecognized or self.is_offline)

    def recognized_only(self) -> Plan:
        """The same plan, for letters whose reader recognizes them; a second plan and those of other types too."""
        second = self.second and self.second.recognized_only()
        others = tuple(plan.recognized_only() for plan in self.others)
        return replace(self, second=second, others=others, asks_unrecognized=False)

    def stop_retrying(self) -> None:
        """From now on no call of its models that fails is made again."""
        self.model.stop_retrying()
        if self.second is not None:
            self.second.stop_retrying()

    async def aclose(self) -> None:
        """Close the connections of its models."""
        await self.model.aclose()
        if self.second is not None:
            await self.second.aclose()

    def cost(self, usage: Usage) -> Cost:
        """What a reply with this usage costs; nothing where no model is asked."""
        return Cost(Decimal(0)) if self.is_offline else self.tariff.cost(usage)
