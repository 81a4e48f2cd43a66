"""The score as it grows with the ticks that one waits: outputs read early, in one and the same run."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from spikeloom.emulation.recording import Recording
from spikeloom.flows.validation.scoring import Scorer
from spikeloom.program.program import ChipProgram, Placed, Port
from spikeloom.report.validation import TickCurve

Array = NDArray[np.float64]
MOST_POINTS = 32  # of the curve; all ticks where there are no more
MOST_BOOTSTRAPS = 8  # points, where each one's interval is drawn


def output_record(program: ChipProgram) -> tuple[str, ...]:
    """What `emulate` must record so that the outputs of every tick can be had."""
    return tuple(f"{_population(program, port).name}.{port.read}" for port in program.outputs)


def tick_curve(program: ChipProgram, run: Recording, scorer: Scorer) -> TickCurve:
    """The score of the outputs read after 1, ..., T ticks of their layer's window.

    run: with what `output_record` names. Later ticks cannot change earlier ones, so this is what shorter runs give;
    readings are scaled by T / ticks, so that outputs stay in the ANN's units.
    """
    most = MOST_POINTS if scorer.is_share else MOST_BOOTSTRAPS
    ticks = np.unique(np.linspace(1, program.ticks, min(most, program.ticks)).round().astype(np.int64))
    scores = [scorer.score(outputs) for outputs in _outputs(program, run, ticks)]
    columns = [np.array([getattr(one, name) for one in scores]) for name in ("value", "low", "high")]
    return TickCurve(ticks, *columns)


def _outputs(program: ChipProgram, run: Recording, ticks: NDArray[np.int64]) -> Iterator[Array]:
    readings = [_readings(program, port, run) for port in program.outputs]
    for tick in ticks:
        columns = []
        for port, reading in zip(program.outputs, readings, strict=True):
            scale = 1.0 if port.scale is None else port.scale
            offset = 0.0 if port.offset is None else port.offset
            last = tick * program.profile.time.steps_per_tick - 1
            columns.append(reading[:, last] * (program.ticks / tick) * scale + offset)
        yield np.concatenate(columns, axis=1)


def _readings(program: ChipProgram, port: Port, run: Recording) -> NDArray:
    """(samples, T, outputs) the register, or the spikes so far, after every tick of the window, or every step."""
    placed = _population(program, port)
    place = {neuron: k for k, neuron in enumerate(placed.neurons.tolist())}
    columns = [place[neuron] for neuron in np.asarray(port.neurons).tolist()]
    end = placed.depth + program.ticks * program.profile.time.steps_per_tick
    window = slice(placed.depth, end)
    name = f"{placed.name}.{port.read}"
    if port.read != "spikes":
        return np.asarray(run.registers[name][:, window, columns], dtype=np.float64)
    trains = np.zeros((len(run.outputs), program.run_ticks, placed.neurons.size))
    np.add.at(trains, tuple(run.spikes[placed.name].T), 1.0)
    return np.asarray(trains[:, window].cumsum(axis=1)[:, :, columns])


def _population(program: ChipProgram, port: Port) -> Placed:
    first = int(np.asarray(port.neurons)[0])
    return next(placed for placed in program.populations if first in placed.neurons)
