"""Room at the ends of a membrane that wraps, measured on the codes that the fit really gives.

The thresholds of a first fit are guesses from the weight copy. What its codes then bring on all calibration rows says
how much of the register each neuron fills; the fit is made again with thresholds that leave room for other rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from spikeloom.emulation.emulate import emulate
from spikeloom.fit.problem import LayerFit
from spikeloom.flows.conversion.axon_plan import has_types
from spikeloom.flows.conversion.chip_limits import membrane_wraps
from spikeloom.flows.conversion.layers.layer_task import LayerTask, on_chip, one_layer_program
from spikeloom.network.chip_layer import Synapses

Array = NDArray[np.float64]
FILLED = 0.75  # share of the register that calibration data may fill
ENOUGH = 0.8  # likewise, at which no further fit is made
TRIES = 4
WIDE = 24  # bits that no membrane leaves
CHUNK = 256  # rows emulated at a time


def wraps_by_type(task: LayerTask) -> bool:
    """Whether thresholds are chosen by the room of a membrane that wraps."""
    return has_types(task.profile) and membrane_wraps(task.profile) and not task.is_last


def within_register(task: LayerTask, fit: Callable[[LayerTask], LayerFit]) -> tuple[LayerTask, LayerFit]:
    """A fit whose neurons fill at most FILLED of their register on the calibration rows, and its task.

    A neuron that fills less may use more, once; from then on thresholds only fall.
    """
    found = fit(task)
    for number in range(TRIES):
        share = filled(task, Synapses.of(found))
        change = FILLED / share if number == 0 else np.minimum(FILLED / share, 1.0)
        if number > 0 and share.max() <= ENOUGH:
            break
        task = replace(task, part=np.minimum(task.part * change, 1.0))
        found = fit(task)
    return task, found


def bias_within_register(task: LayerTask, synapses: Synapses, bias: Array) -> Array:
    """The new bias, but the old one of a neuron that would leave its register by it.

    Nothing holds the bias of a neuron that is silent on all rows.
    """
    if not wraps_by_type(task):
        return bias
    return np.where(filled(task, replace(synapses, bias=bias)) <= ENOUGH, bias, synapses.bias)


def filled(task: LayerTask, synapses: Synapses) -> Array:
    """(m,) largest share of its register that each neuron's membrane fills before it fires, on all calibration rows.

    Seen on the same neurons with a register that is wide enough.
    """
    profile = task.profile
    membrane, leak = profile.fire.reg, str(profile.bias.param)
    wide = profile.regs[membrane].model_copy(update={"bits": WIDE})
    chip = on_chip(task, synapses)
    wider = replace(task, profile=profile.model_copy(update={"regs": {**profile.regs, membrane: wide}}))
    program, name = one_layer_program(wider, chip), f"{chip.name}.{membrane}"
    most = np.zeros(chip.size)
    for start in range(0, len(task.data.feed.inputs), CHUNK):
        spikes = task.data.feed.inputs[start : start + CHUNK]
        left = emulate(program, spikes, effects=(), record=(name,), threads=task.threads).registers[name]
        first = np.broadcast_to(chip.init[membrane], (len(spikes), 1, chip.size))
        without = np.concatenate((first, left[:, :-1]), axis=1) + spikes @ synapses.codes.astype(np.float64)
        for reached in (without, without + chip.params[leak]):
            most = np.maximum(most, np.abs(reached).max(axis=(0, 1)))
    share: Array = most / 2.0 ** ((profile.regs[membrane].bits or WIDE) - 1)
    return share
