"""The table of time: ticks, steps, latency and delays."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from spikeloom.profile.tables import Seconds, Table


class Time(Table):
    """Tick, latency and delays."""

    mode: Literal["tick", "continuous", "event"]
    """tick: all cores meet at the end of every tick. continuous: the unit of all that follows is the step.
    event: a core handles one event after the other; see `[event]`."""
    tick_s: Seconds | None = None
    """Nominal length of a tick."""
    dt_s: Seconds | None = None
    """Length of a step (`continuous`); a tick is a whole number of steps."""
    input_phase: Literal["first", "even"] = "first"
    """Input spikes of a tick come in its first step, or line l of L in step fl(l steps / L) of it."""
    accel: Annotated[float, Field(gt=0)] = 1.0
    """Speed of the hardware over that of the biology it models; for reports alone."""
    spike_latency_ticks: Annotated[int, Field(ge=0)] = 1
    """Ticks (steps) from a neuron's spike to its arrival, without synaptic delay; 0 in the mode event."""
    delay_min: Annotated[int, Field(ge=0)] = 0
    """Smallest additional synaptic delay, in ticks (steps)."""
    delay_max: Annotated[int, Field(ge=0)] = 0
    """Largest additional synaptic delay, in ticks (steps)."""
    delay_scope: Literal["none", "synapse", "axon"] = "none"
    """What a delay belongs to."""

    @property
    def steps_per_tick(self) -> int:
        """Steps of one tick of the input; 1 where the chip has no smaller unit than the tick."""
        if self.mode != "continuous" or not self.dt_s or not self.tick_s:
            return 1
        return round(self.tick_s / self.dt_s)
