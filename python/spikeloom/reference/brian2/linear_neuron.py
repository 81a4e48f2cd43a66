"""The whole linear neuron as Brian2 code, from the docstring of its operation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from spikeloom.reference.brian2.block import Block
from spikeloom.reference.brian2.exact import Exact

Move = Callable[[Any, Block], None]
GUESSES = 4  # at a crossing or a peak


def linear_step(entry: Any, block: Block, move: Move) -> None:
    """The lines of the docstring, one by one; `move` writes P y into the states."""
    step = Step(entry, block)
    step.restart()
    step.begin()
    move(entry, block)
    step.end()


class Step:
    """The code of one step; a name that is kept stands for what was there when it was kept."""

    def __init__(self, entry: Any, block: Block) -> None:
        self.entry, self.block = entry, block
        self.dt = repr(float(block.profile.time.dt_s or 1.0))
        self.membrane, *self.others = entry.states
        self.gains = entry.gains.get(self.membrane, {})
        self.tau, *self.taus = (self.get(name) for name in entry.taus)
        self.held, self.value = self.get(entry.refractory), self.get(entry.value)
        self.free, self.last = self.keep(f"int({self.held} == 0.0)"), self.keep(f"int({self.held} == 1.0)")

    def get(self, operand: int | str) -> str:
        return self.block.read(operand).code

    def keep(self, code: str) -> str:
        return self.block.keep(Exact(code, None)).code

    def choose(self, flag: str, one: str, other: str) -> str:
        return self.keep(f"{flag} * ({one}) + (1.0 - {flag}) * ({other})")

    def put(self, name: str, code: str) -> None:
        self.block.write(name, Exact(code, None))

    def falls(self, time: str, tau: str) -> str:
        return f"exp(maximum(-({time} / {tau}), -708.0))"

    def restart(self) -> None:
        entry, again = self.entry, self.keep(f"{self.free} * int({self.get(self.entry.fired)} != 0.0)")
        self.put(self.membrane, self.choose(again, self.get(entry.after), self.get(self.membrane)))
        self.put(entry.fired, "0.0")

    def pull(self, currents: list[str]) -> str:
        return self.keep(" + ".join((self.rest, *currents)))

    def currents(self) -> list[str]:
        return [
            self.keep(f"{self.get(self.gains.get(state, 0))} * {self.get(state)}") for state in self.others
        ]

    def begin(self) -> None:
        """From where and for how long the membrane is free."""
        late = f"{self.get(self.entry.late)} * {self.dt}"
        self.length = self.keep(f"{self.free} * {self.dt} + {self.last} * ({late})")
        held = [f"{self.get(g)} * {self.get(s)}" for s, g in self.gains.items() if s not in self.others]
        self.rest = self.keep(" + ".join(("0.0", *held)))
        self.start = self.choose(self.free, self.get(self.membrane), self.value)
        passed = self.keep(f"(1.0 - {self.free}) * ({self.dt} - {self.length})")
        self.current = [
            self.keep(f"{current} * {self.falls(passed, tau)}")
            for current, tau in zip(self.currents(), self.taus, strict=True)
        ]
        self.rising = self.keep(f"{self.pull(self.current)} - {self.start}")

    def end(self) -> None:
        """Where it comes to, and whether it crosses the threshold on its way."""
        entry, threshold = self.entry, self.get(self.entry.threshold)
        moves = self.keep(f"int({self.length} > 0.0)")
        part = self.choose(moves, self.at(self.length)[0], self.value)
        end = self.choose(self.free, self.get(self.membrane), part)
        falling = self.keep(f"{self.pull(self.currents())} - {end}")
        at_once = self.keep(f"{moves} * int({self.start} > {threshold})")
        later = self.keep(f"{moves} * (1.0 - {at_once})")
        over = self.keep(f"{later} * int({end} > {threshold})")
        most = self.pull([f"maximum({current}, 0.0)" for current in self.current])
        most = self.keep(f"{self.start} + ({most} - {self.start}) * ({self.length} / {self.tau})")
        turns = self.keep(
            f"{later} * (1.0 - {over}) * int({self.rising} > 0.0) * int({falling} < 0.0) * int({most} > {threshold})"
        )
        turn = self.peak(turns, falling)
        top = self.at(turn)[0]
        bulges = self.keep(f"{turns} * int({top} > {threshold})")
        until, high = self.choose(bulges, turn, self.length), self.choose(bulges, top, end)
        crosses = self.keep(f"{over} + {bulges}")
        since = f"{self.length} - {self.crossing(crosses, until, high)}"
        since = self.keep(f"{at_once} * {self.length} + {crosses} * ({since})")
        came = self.choose(at_once, self.start, threshold)
        spikes, ready = self.keep(f"{at_once} + {crosses}"), self.keep(f"{self.free} + {self.last}")
        again = f"{end} - ({came} - {self.value}) * {self.falls(since, self.tau)}"
        again = self.choose(spikes, again, self.value)
        self.put(self.membrane, self.choose(spikes, self.choose(at_once, self.start, high), end))
        self.put(entry.late, self.choose(ready, f"{since} / {self.dt}", self.get(entry.late)))
        self.put(entry.after, self.choose(ready, again, self.get(entry.after)))

    def at(self, s: str) -> tuple[str, str, str]:
        """V, V' and V'' after s seconds."""
        left = self.keep(self.falls(s, self.tau))
        v, pull, bend = f"{self.rest} + ({self.start} - {self.rest}) * {left}", [], "0.0"
        for current, tau in zip(self.current, self.taus, strict=True):
            fall = self.keep(self.falls(s, tau))
            v += f" + {current} * ({s} / {self.tau} * {self.share(s, tau, fall, left)})"
            pull.append(f"{current} * {fall}")
            bend += f" - {current} * {fall} / {tau}"
        v = self.keep(v)
        slope = self.keep(f"({self.pull(pull)} - {v}) / {self.tau}")
        return v, slope, self.keep(f"({bend} - {slope}) / {self.tau}")

    def share(self, s: str, tau: str, fall: str, left: str) -> str:
        """(F - E) / z."""
        z = self.keep(f"{s} / {self.tau} - {s} / {tau}")
        small = self.keep(f"int(abs({z}) < 0.01)")
        series = f"{left} * (1.0 + {z} / 2.0 * (1.0 + {z} / 3.0 * (1.0 + {z} / 4.0 * (1.0 + {z} / 5.0))))"
        return self.choose(small, series, f"({fall} - {left}) / ({z} + {small})")

    def tangent(self, s: str, height: str, slope: str, usable: str, low: str, high: str) -> str:
        """Where the tangent meets 0, taken into the interval; its middle where the tangent is of no use."""
        met = self.keep(f"{s} - {height} / ({usable} * {slope} + (1.0 - {usable}))")
        return self.choose(usable, f"minimum(maximum({met}, {low}), {high})", f"({low} + {high}) / 2.0")

    def peak(self, turns: str, falling: str) -> str:
        """When the membrane turns."""
        way = f"({turns} * ({self.rising} - {falling}) + (1.0 - {turns}))"
        s, low, high = self.keep(f"{self.length} * ({turns} * {self.rising} / {way})"), "0.0", self.length
        for _ in range(GUESSES):
            _v, slope, bend = self.at(s)
            before = self.keep(f"int({slope} > 0.0)")
            low, high = self.choose(before, s, low), self.choose(before, high, s)
            s = self.tangent(s, slope, bend, self.keep(f"int({bend} < 0.0)"), low, high)
        return s

    def crossing(self, crosses: str, until: str, top: str) -> str:
        """When it passes the threshold on its way to the top."""
        threshold = self.get(self.entry.threshold)
        way = f"({crosses} * ({top} - {self.start}) + (1.0 - {crosses}))"
        s = self.keep(f"{until} * ({crosses} * ({threshold} - {self.start}) / {way})")
        low, high = "0.0", until
        for _ in range(GUESSES):
            v, slope, _bend = self.at(s)
            past = self.keep(f"int({v} > {threshold})")
            low, high = self.choose(past, low, s), self.choose(past, s, high)
            usable = self.keep(f"int({slope} > 0.0)")
            s = self.tangent(s, f"({v} - {threshold})", slope, usable, low, high)
        return s
