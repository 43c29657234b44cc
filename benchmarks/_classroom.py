"""What the people of a class do: each goes from page to page and thinks between two actions."""

from __future__ import annotations

import asyncio
import random
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from benchmarks._visitor import PATIENCE, Seen, VisitError, Visitor

THINK = 5.0, 20.0  # seconds between two actions
EXAMPLES = ("cat coral 720p", "goldfish tfkerasvis", "owl coral", "macaw parrot coral")
NETWORKS = ("pretrained.mobilenet_v2", "pretrained.squeezenet", "run.starter")
LOOKED_AT = ("", "draw", "inside", "concepts", "architectures", "train", "embedding", "reproduce")


@dataclass
class Tally:
    """What was measured, and what went wrong.

    Args:
        switches: seconds of page switches, by the page that was opened.
        others: seconds of everything else, by what it was.
        places: what was said to those who had to wait: "2 ahead of you".
        moments: seconds after the class began at which a page was asked for, and that switch.
    """

    switches: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    others: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    seen: Seen = field(default_factory=Seen)
    places: list[str] = field(default_factory=list)
    images: int = 0
    moments: list[tuple[float, float]] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)


class Person:
    """Somebody with a tab of their own.

    Args:
        visitor: the tab.
        tally: where measurements go.
        chance: decides what is done next.
        think: least and most seconds between two actions.
    """

    def __init__(
        self,
        visitor: Visitor,
        tally: Tally,
        chance: random.Random,
        think: tuple[float, float] = THINK,
    ):
        self.visitor = visitor
        self.tally = tally
        self.chance = chance
        self.think = think

    async def work(self, until: float, runs: list[str], *, trains: bool = False) -> None:
        """Do one thing after the other until a time (`time.monotonic()`).

        Args:
            until: then it ends.
            runs: ids of finished runs.
            trains: begins with a training.
        """
        activities: list[tuple[int, Callable[[], Awaitable[None]]]] = [
            (30, self.predict),
            (15, self.visualize),
            (20, lambda: self.look_at_runs(runs)),
            (15, self.explain),
            (20, self.look_around),
        ]
        weights, doing = zip(*activities, strict=True)
        await self._switch("")
        if trains:
            await self._pause()
            await self.train()
        while True:  # at least once, however slow the server is
            await self._pause()
            await self.chance.choices(doing, weights)[0]()
            if time.monotonic() > until:
                return

    async def predict(self) -> None:
        """Have some examples classified, by a network or two."""
        networks = ",".join(self.chance.sample(NETWORKS, self.chance.choice((1, 1, 2))))
        await self._switch("predict")
        await self._pause()
        query = {"from": "example", "networks": networks}
        self._note("prediction", await self.visitor.open("predict", **query))
        for example in self.chance.sample(EXAMPLES, 2):
            await self._pause()
            self._note("prediction", await self.visitor.choose("Example", example))

    async def visualize(self) -> None:
        """Start an image, and watch it for a while."""
        await self._switch("visualize", network="run.starter", seed=str(self.chance.randrange(999)))
        await self._pause()
        if self.visitor.has("button", lambda button: button.label == "Start"):
            self._note("start of an image", await self.visitor.click("Start"))
            await self._pause()
            self._note_place()

    async def look_at_runs(self, runs: list[str]) -> None:
        """See all runs, then one or two of them."""
        await self._switch("runs")
        await self._pause()
        some = self.chance.sample(runs, min(len(runs), self.chance.choice((1, 1, 2))))
        self._note("choice of a run", await self.visitor.open("runs", run=",".join(some)))

    async def explain(self) -> None:
        """Ask why a network answers what it does."""
        await self._switch("explain")
        await self._pause()
        query = {"from": "example", "example": self.chance.choice(EXAMPLES)}
        query |= {"networks": "pretrained.mobilenet_v2", "methods": "grad_cam"}
        self._note("explanation asked for", await self.visitor.open("explain", **query))

    async def look_around(self) -> None:
        """Open a page and read it."""
        await self._switch(self.chance.choice(LOOKED_AT))

    async def train(self) -> None:
        """Start a training with the recipe that is offered, and see it queued."""
        await self._switch("train")
        await self._pause()
        self._note("start of a training", await self.visitor.click("Train"))
        await self._pause()
        self._note_place()

    async def _switch(self, page: str, **query: str) -> None:
        seconds = await self.visitor.open(page, **query)
        self.tally.switches[page or "home"].append(seconds)
        self.tally.moments.append((time.monotonic() - seconds - self.tally.began, seconds))

    async def _pause(self) -> None:
        await asyncio.sleep(self.chance.uniform(*self.think))

    def _note(self, what: str, seconds: float) -> None:
        self.tally.others[what].append(seconds)

    def _note_place(self) -> None:
        self.tally.places += [
            line for line in self.visitor.words.splitlines() if "ahead" in line or "queued" in line
        ]


async def hold_class(
    address: str,
    people: int,
    minutes: float,
    runs: list[str],
    *,
    seed: int = 0,
    training: int = 0,
    arrive: float = 30.0,
    think: tuple[float, float] = THINK,
) -> Tally:
    """Have so many people visit a server at once.

    Args:
        address: of the server.
        people: how many.
        minutes: how long.
        runs: ids of finished runs, to look at.
        seed: of what they do, and when.
        training: how many of them begin with a training.
        arrive: seconds within which they come.
        think: least and most seconds between two actions.
    """
    tally = Tally()
    until = time.monotonic() + 60 * minutes

    async def one(number: int) -> None:
        chance = random.Random(f"{seed}/{number}")
        await asyncio.sleep(chance.uniform(0, arrive))
        visitor = Visitor(address, f"person {number}")
        try:
            async with visitor:
                person = Person(visitor, tally, chance, think)
                await person.work(until, runs, trains=number < training)
        except (VisitError, OSError, TimeoutError) as error:
            visitor.seen.lost.append(f"{visitor.name}: {error or f'no answer in {PATIENCE:g} s'}")
        tally.images += visitor.images
        tally.seen.errors += visitor.seen.errors
        tally.seen.lost += visitor.seen.lost

    await asyncio.gather(*map(one, range(people)))
    return tally
