"""Event mode: a core without ticks of its own, which handles one event after the other from a FIFO."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from spikeloom.profile.tables import Count, Table

EventKind = Literal["neuron", "virtual", "synapse"]


class EventMode(Table):
    """How a core in event mode (`time.mode = "event"`) handles spikes; absent in the mode "tick".

    Tick t is: its input spikes, by ascending axon, each n times; each is pushed, and the FIFO is drained before
    the next one; then, where `leak_every_ticks` divides t + 1, one leak event, and the FIFO is drained again.
    A spike of a neuron is pushed in the order of the neurons. A popped event holds its place in the FIFO until
    its last write. Every write of a neuron is followed by the operations of that event.
    """

    receptors: tuple[EventKind, ...]
    """What a spike on an axon of each receptor is, one for each of `delivery.into`; the first is neuron.

    neuron: an event of the FIFO that visits every neuron of the core, ascending, also where there is no synapse;
    it adds the whole row. virtual: for each synapse an event of the FIFO that visits its target alone. synapse:
    the same without the FIFO. Only input sends virtual and synapse events.
    """
    fifo_depth: Annotated[int, Field(ge=1, le=65536)]
    """Events that the FIFO holds; what comes when it is full is dropped, and counted as `fifo.drop`."""
    max_events: Count
    """Events of one drain at most. A drain that is stopped leaves the others in the FIFO, and is counted as
    `fifo.unsettled`."""
    leak_every_ticks: Count | None = None
    """Ticks from one leak event of all neurons to the next; absent: there is none."""
    visits: Literal["used", "all"] = "used"
    """Neurons that an event visits, for what is counted: those in use, or all of `limits.neurons_per_core`."""
    virtual_targets: Count | None = None
    """Virtual events reach the neurons below this only; absent: any neuron."""
