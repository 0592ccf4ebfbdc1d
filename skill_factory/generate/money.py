"""What generating costs: tokens, a price for them, and a budget that is never exceeded."""

import math
from dataclasses import dataclass, field

from skill_factory.errors import RecipeError
from skill_factory.generate.request import Answer, Request

MILLION = 1_000_000


@dataclass(frozen=True)
class Price:
    """Money per million tokens, in the user's currency; 0 where tokens are free."""

    prompt: float = 0.0
    completion: float = 0.0

    def of(self, prompt_tokens: float, completion_tokens: float) -> float:
        """The cost of so many tokens."""
        return (prompt_tokens * self.prompt + completion_tokens * self.completion) / MILLION


@dataclass(frozen=True)
class Budget:
    """The most that may be spent on a store, over all runs; None for no limit."""

    tokens: int | None = None
    money: float | None = None

    def checked(self, price: Price) -> "Budget":
        """The budget itself. Errors: RecipeError for a budget or price that could never end a run."""
        if not all(0 <= money < math.inf for money in (price.prompt, price.completion)):
            raise RecipeError("A price can't be negative or infinite. Change --price-in and --price-out.")
        if self.money is not None and not (price.prompt or price.completion):
            raise RecipeError(
                "A budget in money needs a price. Give --price-in and --price-out, per million tokens."
            )
        if any(limit is not None and not 0 < limit < math.inf for limit in (self.tokens, self.money)):
            raise RecipeError("A budget must be more than nothing. Give a larger one, or leave it out.")
        return self


@dataclass
class Spending:
    """Tokens so far, and what those in flight may still take."""

    price: Price
    budget: Budget
    answers: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    lost: int = 0
    """Requests that were sent and whose answers never arrived; a provider may have billed them."""
    _held: dict[int, tuple[int, int]] = field(default_factory=dict)

    @property
    def tokens(self) -> int:
        """Tokens of all answers and their prompts."""
        return self.prompt_tokens + self.completion_tokens

    @property
    def cost(self) -> float:
        """Cost of all answers."""
        return self.price.of(self.prompt_tokens, self.completion_tokens)

    @property
    def holding(self) -> bool:
        """Whether anything is set aside for requests in flight."""
        return bool(self._held)

    def hold(self, request: Request) -> bool:
        """Set aside the most that a request can take; False where that doesn't fit the budget."""
        # The most it can take, not what it will: only then can the sum of all in flight never exceed the budget.
        bound = (request.most_prompt_tokens, request.most_completion_tokens)
        if not self._fits(bound):
            return False
        self._held[id(request)] = bound
        return True

    def release(self, request: Request) -> None:
        """Give back what was set aside for a request."""
        self._held.pop(id(request), None)

    def take(self, answer: Answer) -> None:
        """Count the tokens of an answer."""
        self.answers += 1
        self.prompt_tokens += answer.prompt_tokens
        self.completion_tokens += answer.completion_tokens

    def _fits(self, bound: tuple[int, int]) -> bool:
        if self.budget == Budget():  # no limit: no need to add up what is in flight
            return True
        # Lost requests may have been billed, so they count as much as the average answer.
        lost = self.lost / self.answers if self.answers else 0.0
        held = self._held.values()
        prompt = self.prompt_tokens * (1 + lost) + bound[0] + sum(prompt for prompt, _ in held)
        completion = self.completion_tokens * (1 + lost) + bound[1] + sum(output for _, output in held)
        within = self.budget.tokens is None or prompt + completion <= self.budget.tokens
        return within and (
            self.budget.money is None or self.price.of(prompt, completion) <= self.budget.money
        )
