"""The tables `[cycles]`, `[noc]` and `[energy]` of a hardware profile: clocks of a tick, the mesh, and costs.

`[cycles] controller` chooses one of a closed set of controllers, and each has fields of its own.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from spikeloom.profile.tables import Count, Table

Joules = Annotated[float, Field(gt=0)]
Clocks = Annotated[float, Field(gt=0)]
Waiting = Annotated[int, Field(ge=0)]
Depth = Annotated[int, Field(ge=2)]


class Controller(Table):
    """What all controllers have."""

    clock_hz: Annotated[float, Field(gt=0)] | None = None
    """Frequency of the cores' clock; absent: clocks are not turned into seconds."""
    tick_clocks: Count | None = None
    """Clocks from one tick to the next; a longer tick is a missed deadline. Absent: no deadline."""


class Linear(Controller):
    """A controller that is not public: clocks of a tick = fixed + the largest sum over one core of

    per_neuron * neurons + per_axon * active axons + per_event * synapses read + per_spike * spikes made,
    rounded up. It is reported as modelled, never as exact. An absent coefficient is not modelled.
    """

    controller: Literal["linear"]
    """Clocks from counts of events."""
    fixed: Clocks | None = None
    """Clocks of every tick, the barrier included."""
    per_neuron: Clocks | None = None
    """Clocks of one neuron's update."""
    per_axon: Clocks | None = None
    """Clocks of one axon with spikes, before its synapses."""
    per_event: Clocks | None = None
    """Clocks of one synapse read."""
    per_spike: Clocks | None = None
    """Clocks of one spike made."""


class OpenCore(Controller):
    """The core that `open_core.md` describes clock for clock.

    It needs `limits.neurons_per_core` (a multiple of `lanes`), `limits.in_axons_per_core` and a `[noc]`.
    """

    controller: Literal["open_core"]
    """Phases INPUT, DELIVER, UPDATE, DRAIN, with senders, receivers and routers beside them."""
    lanes: Literal[1, 2, 4, 8]
    """Synapses of one word, added in one clock (W)."""
    count_bits: Annotated[int, Field(ge=1, le=16)]
    """Bits of the spike count of one axon and tick (K); `delivery.spikes_max` is 2^K - 1."""
    slots: Depth
    """Ticks that the schedule holds (S): a power of two above latency + `time.delay_max`."""
    output_fifo: Depth
    """Spikes that wait to be sent."""
    receive_fifo: Depth
    """Packets that wait to be written into the schedule (Q)."""


class Token(Controller):
    """One axon a clock, one neuron after the other (RANC).

    A tick takes N (A + 2) + 2 clocks and what its spiking neurons wait for the router; N and A are
    `limits.neurons_per_core` and `limits.in_axons_per_core`. It needs `tick_clocks` and a `[noc]`.
    """

    controller: Literal["token"]
    """A packet is read in the tick of the receiver's slot when it comes, plus the latency and its delay.

    So one that is late comes a tick later; one in the clock that clears a slot is lost. A tick that comes while the
    core is busy is lost, too: that is counted, and the core computes it all the same.
    """
    slots: Depth = 16
    """Ticks that the scheduler holds."""


class Partner(Table):
    """The other side of the address-event links, in clocks that it takes to answer."""

    req_fall: Waiting
    """From the acknowledge to the fall of the request."""
    ack_rise: Waiting
    """From the chip's request to the acknowledge."""
    ack_fall: Waiting
    """From the fall of the chip's request to the fall of the acknowledge."""
    input_gap: Waiting
    """From one input event to the next."""


class SerialEvent(Controller):
    """One event after the other (ODIN, tinyODIN): in WAIT, one decision a clock.

    With the output busy it stays; with a full FIFO it takes the oldest event; then a request from outside: a leak,
    a single synapse, or a spike for the FIFO; then the oldest event. Neuron j of an event over all neurons is read
    in its clock 2j and written in clock 2j + 1; a single neuron takes 2 clocks, a push 1. Request and acknowledge
    pass two flip-flops; while the output is busy all counters stand still. It needs `time.mode = "event"` and
    `tick_clocks`. Input k of tick t asks at clock `tick_clocks` t + k `aer.input_gap`, the leak last, each after the
    one before it. What does not find the chip idle is counted as `late`; a tick whose work is not done at its end
    as missed. Where there is neither, and nothing was dropped, the spikes are those without clocks.
    """

    controller: Literal["serial_event"]
    """Events wait in a FIFO; inputs are taken through synchronised handshakes."""
    pop_tail: Waiting = 0
    """Clocks of a popped spike after its last neuron."""
    aer: Partner
    """How fast the partner answers: without it a count of clocks is not defined."""


Cycles = Annotated[Linear | OpenCore | Token | SerialEvent, Field(discriminator="controller")]
CONTROLLERS: tuple[type[Controller], ...] = (Linear, OpenCore, Token, SerialEvent)


class Noc(Table):
    """The network between cores. Core c stands at x = c mod width, y = fl(c / width)."""

    topology: Literal["mesh2d"]
    """Routers on a grid; packets move along x first, then along y, one hop a clock."""
    width: Count
    """Cores in a row (X)."""
    height: Count
    """Rows (Y)."""
    buffer: Depth = 4
    """Packets that each of a router's inputs can hold (B)."""


class Energy(Table):
    """Energy of one event of each unit; an absent one is not modelled."""

    synop_j: Joules | None = None
    """One synaptic operation."""
    neuron_access_j: Joules | None = None
    """Reading one neuron's state in a tick."""
    neuron_update_j: Joules | None = None
    """Writing one neuron's state in a tick."""
    spike_out_j: Joules | None = None
    """One spike made."""
    axon_out_j: Joules | None = None
    """One packet sent to one axon."""
    synaptic_word_j: Joules | None = None
    """One word of synapses read (`cycles.lanes` synapses)."""
    accumulator_j: Joules | None = None
    """One word of accumulators read and written."""
    fifo_push_j: Joules | None = None
    """One entry put into a FIFO or a router's buffer."""
    hop_j: Joules | None = None
    """One packet moved from one router to the next, or out of the mesh."""
    clock_j: Joules | None = None
    """Static power of one core over one clock."""
