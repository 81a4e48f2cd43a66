"""Clocks of the phases of an open core: what `open_core.md` says, and what a circuit's log shows."""

from collections import defaultdict

from spikeloom.exporters.verilog.layout import lay_out

INPUT, DELIVER, UPDATE, DRAIN = range(4)


def observed_phases(log):
    """(tick, core, phase) -> clocks, from the first clock of each phase in the log."""
    starts, signals = defaultdict(dict), log.signals()
    shown = zip(signals.clock.tolist(), signals.place.tolist(), signals.values["phase"].tolist(), strict=True)
    for clock, core, phase in shown:
        tick = sum(end < clock for end in log.ends)
        starts[tick, core].setdefault(phase, clock)
    found = {}
    for (tick, core), first in starts.items():
        begin = log.ends[tick - 1] + 1 if tick else 0
        times = [begin, *(first[phase] for phase in (DELIVER, UPDATE, DRAIN))]
        for phase in (INPUT, DELIVER, UPDATE):
            found[tick, core, phase] = times[phase + 1] - times[phase]
    return found


def expected_phases(program, sizes, spikes, log):
    """The same from the closed forms: from the inputs, the SCHED words before the tick, and the spikes made.

    UPDATE is given only where the output FIFO cannot have filled.
    """
    layout = lay_out(program, sizes.lanes)
    stages = 2 + len(program.profile.operation)
    inputs, waiting = input_counts(layout, spikes), scheduled(log, sizes)
    found = {}
    for tick in range(len(log.ends)):
        for number, core in enumerate(layout.cores):
            given = inputs[tick, number]
            due = merged(program, core, given, waiting[tick, number])
            found[tick, number, INPUT] = 2 * len(given) + 1
            found[tick, number, DELIVER] = sizes.axons + 1 + sum(
                1 + n * sum(1 + core.run[run][2] for run in range(first, first + runs))
                for axon, n in due.items()
                for first, runs in [core.axon[axon]]
            )  # fmt: skip
            fired = [s for s in log.pushed if s.core == number and sum(e < s.clock for e in log.ends) == tick]
            if len(fired) <= sizes.output_fifo:
                holds = sum(spike.times - 1 for spike in fired)
                found[tick, number, UPDATE] = sizes.neurons + stages - 1 + holds
    return found


def input_counts(layout, spikes):
    """(tick, core) -> axon -> spikes handed over from outside."""
    counts = defaultdict(lambda: defaultdict(int))
    for tick, row in enumerate(spikes.tolist()):
        for line, n in enumerate(row):
            for core, axon, delay in layout.input_targets[line] if n else ():
                counts[tick + delay, core][axon] += n
    return counts


def scheduled(log, sizes):
    """(tick, core) -> axon -> the count that SCHED held for that tick when the tick before ended."""
    bits = log.description["widths"]["AXON_BITS"]
    counts = defaultdict(dict)
    for kind, tick, core, (address,), word in (word for word in log.words if word[0] == "d"):
        assert kind == "d"
        if address >> bits == (tick + 1) % sizes.slots:
            counts[tick + 1, core][address & (2**bits - 1)] = word
    return counts


def merged(program, core, given, waiting):
    """Axon -> the count that DELIVER reads."""
    delivery = program.profile.delivery
    found = {}
    for axon in {*given, *waiting}:
        most = getattr(delivery.spikes_max, delivery.order[0 if axon < core.first_axons else -1])
        total = given.get(axon, 0) + waiting.get(axon, 0)
        found[axon] = 1 if delivery.merge == "or" else min(total, most or 15)
    return found
