"""The adaptive exponential neuron as Brian2 code, from the docstring of its operation."""

from __future__ import annotations

from typing import Any

from spikeloom.reference.brian2.block import Block
from spikeloom.reference.brian2.exact import Exact

CONDUCTANCES = ("exc", "inh")


def adex_step(entry: Any, block: Block) -> None:
    """The lines of the docstring, one by one, in Brian2's names."""
    for role, code in Adex(entry, block).step().items():
        block.write(getattr(entry, role), Exact(code, None))


class Adex:
    """The code of one step; v, w and since are the names of what they are by then."""

    def __init__(self, entry: Any, block: Block) -> None:
        self.entry, self.block = entry, block
        self.dt = repr(float(block.profile.time.dt_s or 1.0))
        self.free = self.keep(f"int({self.get('refractory')} == 0.0)")
        self.goal = self.bent(f"({self.get('threshold')} - {self.get('vt')}) / {self.get('slope')}")
        self.v, self.since = self.keep(self.get("v")), "0.0"
        self.w = self.keep(f"{self.get('w')} + {self.get('jump')} * {self.get('fired')}")

    def get(self, role: str) -> str:
        return self.block.read(getattr(self.entry, role)).code

    def keep(self, code: str) -> str:
        return self.block.keep(Exact(code, None)).code

    def choose(self, flag: str, one: str, other: str) -> str:
        return self.keep(f"{flag} * ({one}) + (1.0 - {flag}) * ({other})")

    def bent(self, code: str) -> str:
        x = self.keep(code)
        return self.keep(f"minimum({x}, 0.0) - log(1.0 + exp(maximum(-abs({x}), -708.0)))")

    def toward(self) -> str:
        return self.keep(f"{self.get('coupling')} * ({self.v} - {self.get('rest')})")

    def step(self) -> dict[str, str]:
        get, keep = self.get, self.keep
        passed, fired = keep(f"{get('late')} * {self.dt}"), keep(f"int({get('fired')} != 0.0)")
        toward = self.toward()
        relaxed = f"{toward} + ({self.w} - {toward}) * exp(-({passed} / {get('tau_w')}))"
        self.w = self.choose(fired, relaxed, self.w)
        growth = {k: f"exp(minimum({passed} / 2.0 / {get(f'tau_{k}')}, 709.0))" for k in CONDUCTANCES}
        then = {k: keep(f"{get(k)} * {growth[k]}") for k in CONDUCTANCES}
        back = f"exp(minimum({passed} / 2.0 / {get('tau_w')}, 709.0))"
        middle = keep(f"{toward} + ({self.w} - {toward}) * {back}")
        acting = keep(f"{self.free} * int({passed} > 0.0)")
        self.move(passed, then, middle, acting)
        change = f"({self.toward()} - {toward}) * (1.0 - exp(-({passed} / 2.0 / {get('tau_w')})))"
        self.w = keep(f"{self.w} + {acting} * int({self.since} == 0.0) * ({change})")
        current = {k: keep(f"{get(k)} + {get(f'in_{k}')}") for k in CONDUCTANCES}
        length = keep(f"{self.dt} / {float(self.entry.parts)!r}")
        fall = {k: keep(f"exp(maximum(-({length} / 2.0 / {get(f'tau_{k}')}), -708.0))") for k in CONDUCTANCES}
        half = keep(f"exp(-({length} / 2.0 / {get('tau_w')}))")
        for _ in range(self.entry.parts):
            current = {k: keep(f"{current[k]} * {fall[k]}") for k in CONDUCTANCES}
            self.part(length, current, half)
            current = {k: keep(f"{current[k]} * {fall[k]}") for k in CONDUCTANCES}
        late = self.choose(self.free, f"minimum({self.since} / {self.dt}, 1.0)", get("late"))
        return {"v": self.v, "w": self.w, **current, "fired": "0.0", "late": late}

    def part(self, length: str, current: dict[str, str], half: str) -> None:
        """A part of the step; after a crossing the neuron waits for the next step."""
        waiting = self.keep(f"int({self.since} > 0.0)")
        start, toward, past = self.w, self.toward(), self.since
        middle = self.keep(f"{toward} + ({start} - {toward}) * {half}")
        self.move(length, current, middle, self.keep(f"{self.free} * (1.0 - {waiting})"))
        fresh = self.keep(f"int({self.since} > 0.0)")
        left = f"maximum({length} - {self.since}, 0.0)"
        crossed = f"{toward} + ({start} - {toward}) * exp(-({left} / {self.get('tau_w')}))"
        ended = self.toward()
        moved = self.choose(fresh, crossed, f"{ended} + ({middle} - {ended}) * {half}")
        self.w = self.choose(waiting, start, moved)
        self.since = self.choose(waiting, f"{past} + {length}", self.since)

    def move(self, length: str, current: dict[str, str], w: str, acting: str) -> None:
        """The membrane alone, in the coordinate in which the spike's rise is a straight line."""
        get, keep, v = self.get, self.keep, self.v
        before = self.bent(f"({v} - {get('vt')}) / {get('slope')}")
        share = keep(f"exp(maximum({before}, -708.0))")
        synapses = " + ".join(f"{current[k]} * ({get(f'e_{k}')} - {v})" for k in CONDUCTANCES)
        level = keep(f"({get('rest')} - {v} - {w} + {get('drive')} + {synapses}) / {get('slope')}")
        rate = keep(f"((1.0 - {share}) * {level} + {share}) / {get('tau_m')}")
        opened = f"(1.0 + {current['exc']} + {current['inh']})"
        steep = keep(f"({share} * (1.0 - {level}) - {opened}) / {get('tau_m')}")
        z = keep(f"maximum(minimum({length} * {steep}, 50.0), -708.0)")
        small = keep(f"int(abs({z}) < 0.01)")
        series = f"1.0 + {z} / 2.0 * (1.0 + {z} / 3.0 * (1.0 + {z} / 4.0 * (1.0 + {z} / 5.0)))"
        rise = self.choose(small, series, f"(exp({z}) - 1.0) / ({z} + {small})")
        after = keep(f"{before} + {length} * {rate} * {rise}")
        crossed = keep(f"{acting} * int({after} > {self.goal})")
        way = f"maximum({after} - minimum({before}, {self.goal}), 1e-300)"
        first = f"{length} * ({crossed} * ({after} - {self.goal}) / {way})"
        self.since = self.choose(acting, self.choose(crossed, first, "0.0"), self.since)
        below = keep(f"minimum({after}, {self.goal})")
        low = f"log(maximum(1.0 - exp(maximum({below}, -708.0)), 2.0**-1022))"
        there = f"{get('vt')} + {get('slope')} * ({below} - {low})"
        moved = self.choose(crossed, f"{get('threshold')} + {get('slope')}", there)
        self.v = self.choose(acting, moved, v)
