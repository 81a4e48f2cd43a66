"""The differential-pair neuron as Brian2 code, from the docstring of its operation."""

from __future__ import annotations

from typing import Any

from spikeloom.reference.brian2.block import Block
from spikeloom.reference.brian2.exact import Exact

CURRENTS = ("exc", "inh", "ahp")


def dpi_step(entry: Any, block: Block) -> None:
    """One step, by the integrator that the entry names."""
    writer = (Exponential if entry.integrator == "exponential" else Euler)(entry, block)
    for role, code in writer.step().items():
        block.write(getattr(entry, role), Exact(code, None))


class _Writer:
    """Code of the roles of one entry, and names for what is computed once."""

    def __init__(self, entry: Any, block: Block) -> None:
        self.entry, self.block = entry, block
        self.dt = repr(float(block.profile.time.dt_s or 1.0))
        self.thermal = self.keep(f"{self.get('ut')} / {self.get('kappa')}")
        self.tau = {k: self.keep(f"{self.thermal} * {self.ratio('c', 'itau', k)}") for k in CURRENTS}

    def get(self, role: str) -> str:
        return self.block.read(getattr(self.entry, role)).code

    def ratio(self, above: str, below: str, k: str) -> str:
        return f"{self.get(f'{above}_{k}')} / {self.get(f'{below}_{k}')}"

    def keep(self, code: str) -> str:
        return self.block.keep(Exact(code, None)).code

    def level(self, k: str) -> str:
        """What a pulse draws a current toward."""
        drive = f"{self.get('iw_ahp')} * {self.get('fired')}" if k == "ahp" else self.get(f"in_{k}")
        return f"{self.ratio('igain', 'itau', k)} * {drive}"

    def taken(self, k: str) -> str:
        """The share of its level that a current takes on in a pulse."""
        pulse = self.get("t_pulse_ahp" if k == "ahp" else "t_pulse")
        return f"(1.0 - exp(-({pulse} / {self.tau[k]})))"

    def entering(self, exc: str, inh: str, leak: str) -> str:
        free = f"int({self.get('refractory')} == 0.0)"
        return self.keep(f"maximum(({exc} - {inh} - {leak} + {self.get('idc')}) * {free}, {self.get('i0')})")


class Euler(_Writer):
    """The makers' step, line by line."""

    def step(self) -> dict[str, str]:
        get, keep = self.get, self.keep
        found = {k: self.charged(k, keep(f"maximum({self.level(k)}, {get('i0')})")) for k in ("exc", "inh")}
        found["ahp"] = keep(f"maximum({self.charged('ahp', keep(self.level('ahp')))}, {get('i0')})")
        leak = keep(f"{get('itau_mem')} + {found['ahp']}")
        entering = self.entering(found["exc"], found["inh"], leak)
        rest = keep(f"{get('igain_mem')} / {get('itau_mem')} * ({entering} - {leak})")
        ratio = keep(f"maximum({get('imem')} / {get('i0')}, 2.0**-1022)")
        v = keep(f"{self.thermal} * log({ratio})")
        factor = f"{get('kappa')} * {get('kappa')} / ({get('kappa')} + 1.0)"
        back = keep(f"{get('i0')} * exp(maximum({factor} * {v} / {get('ut')}, -708.0))")
        above = keep(f"{get('imem')} + {get('igain_mem')}")
        down = f"{get('imem')} * (1.0 + {found['ahp']} / {get('itau_mem')})"
        slope = keep(f"{rest} + {back} / {leak} * {above} - {down}")
        tau = keep(f"{self.thermal} * {get('c_mem')} / {leak}")
        after = f"{get('imem')} + {self.dt} * {get('imem')} / ({tau} * {above}) * {slope}"
        return {"imem": keep(f"maximum({after}, {get('i0')})"), **found, "fired": "0.0"}

    def charged(self, k: str, level: str) -> str:
        decay = f"exp(-({self.dt} / {self.tau[k]}))"
        return self.keep(f"{self.get(k)} * {decay} + {self.taken(k)} * {level}")


class Exponential(_Writer):
    """The step of second order, part by part."""

    def step(self) -> dict[str, str]:
        get, keep = self.get, self.keep
        free = keep(f"int({get('refractory')} == 0.0)")
        passed = keep(f"{get('late')} * {self.dt}")
        gap = keep(f"{passed} * {free}")
        pulse = f"exp(-({passed} / {self.tau['ahp']})) * ({self.taken('ahp')} * ({self.level('ahp')}))"
        current = {"exc": get("exc"), "inh": get("inh"), "ahp": keep(f"{get('ahp')} + {pulse}")}
        self.w, self.since = keep(f"maximum({get('imem')}, {get('i0')}) / {get('igain_mem')}"), "0.0"
        self.set_up()
        mid = {k: keep(f"{current[k]} * exp(minimum({gap} / 2.0 / {self.tau[k]}, 709.0))") for k in CURRENTS}
        self.move(gap, mid, keep(f"int({gap} > 0.0)"))
        for k in ("exc", "inh"):
            current[k] = keep(f"{current[k]} + {self.taken(k)} * ({self.level(k)})")
        length = keep(f"{self.dt} / {float(self.entry.parts)!r}")
        half = {k: keep(f"exp(maximum(-({length} / 2.0 / {self.tau[k]}), -708.0))") for k in CURRENTS}
        for _ in range(self.entry.parts):
            mid = {k: keep(f"{current[k]} * {half[k]}") for k in CURRENTS}
            self.move(length, mid, "1.0")
            current = {k: keep(f"{mid[k]} * {half[k]}") for k in CURRENTS}
        imem = keep(f"maximum({get('igain_mem')} * {self.w}, {get('i0')})")
        now = f"minimum({self.since} / {self.dt}, 1.0) * int({imem} > {get('threshold')})"
        late = keep(f"{free} * {now} + (1.0 - {free}) * {get('late')}")
        return {"imem": imem, **current, "fired": "0.0", "late": late}

    def set_up(self) -> None:
        """What all parts need, as names."""
        get, keep = self.get, self.keep
        self.charge = keep(f"{self.thermal} * {get('c_mem')}")
        self.height = keep(f"log({get('igain_mem')} / {get('i0')})")
        self.lowest = keep(f"{get('i0')} / {get('igain_mem')} - {self.height}")
        ratio = keep(f"{get('threshold')} / {get('igain_mem')}")
        self.goal = keep(f"{ratio} + log({ratio})")
        self.power = keep(f"{get('kappa')} / ({get('kappa')} + 1.0)")

    def move(self, length: str, mid: dict[str, str], acting: str) -> None:
        """The membrane and the time since its crossing after a part."""
        keep = self.keep
        before = keep(f"{self.w} + log(maximum({self.w}, 2.0**-1022))")
        slope, steep = self.slopes({k: keep(f"maximum({mid[k]}, {self.get('i0')})") for k in CURRENTS})
        z = keep(f"maximum(minimum({length} * {steep}, 50.0), -708.0)")
        small = keep(f"int(abs({z}) < 0.01)")
        divisor = keep(f"{z} + {small}")  # never 0
        series = f"(1.0 + {z} / 2.0 * (1.0 + {z} / 3.0 * (1.0 + {z} / 4.0 * (1.0 + {z} / 5.0))))"
        rise = keep(f"{small} * {series} + (1.0 - {small}) * ((exp({z}) - 1.0) / {divisor})")
        after = keep(f"minimum(maximum({before} + {length} * {slope} * {rise}, {self.lowest}), 1e9)")
        self.since = self.time_since(before, after, length)
        w = keep(f"log(1.0 + exp(minimum({after}, 709.0)))")
        for _ in range(4):
            w = keep(f"{w} * (1.0 + {after} - log(maximum({w}, 2.0**-1022))) / (1.0 + {w})")
        self.w = keep(f"{acting} * {w} + (1.0 - {acting}) * {self.w}")

    def slopes(self, current: dict[str, str]) -> tuple[str, str]:
        """du/dt, and its derivative after u."""
        get, keep, w = self.get, self.keep, self.w
        leak = keep(f"{get('itau_mem')} + {current['ahp']}")
        entering = self.entering(current["exc"], current["inh"], leak)
        opened = keep(f"{leak} * (1.0 + {current['ahp']} / {get('itau_mem')})")
        height = f"log(maximum({w}, 2.0**-1022)) + {self.height}"
        back = keep(f"{get('i0')} * exp(maximum({self.power} * ({height}), -708.0))")
        drive = f"{leak} / {get('itau_mem')} * ({entering} - {leak})"
        slope = keep(f"({drive} - {opened} * {w} + {back} * (1.0 + {w})) / {self.charge}")
        growth = f"{back} * ({w} + {self.power} * (1.0 + {w})) - {opened} * {w}"
        return slope, keep(f"({growth}) / (1.0 + {w}) / {self.charge}")

    def time_since(self, before: str, after: str, length: str) -> str:
        """How long ago, at the end of a part, the threshold was crossed."""
        crossed = self.keep(f"int({after} > {self.goal})")
        way = f"maximum({after} - minimum({before}, {self.goal}), 1e-300)"
        first = self.keep(f"{length} * ({crossed} * ({after} - {self.goal}) / {way})")
        past = self.keep(f"int({self.since} > 0.0)")
        return self.keep(f"{past} * ({self.since} + {length}) + (1.0 - {past}) * {first}")
