"""A program as one chip has it: its imperfections written into parameters, weights and the operation list.

References run such a program as any other, so only noise that is new in every step is left for them to draw.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.profile.schema import Param, Profile, Weights
from spikeloom.program.program import ChipProgram, ProgramArrays
from spikeloom.reference.twin.imperfections import Flaws
from spikeloom.reference.twin.loading import load_weights

SILENT = "silent_neuron"  # the parameter that closes the gate of a dead neuron


def flawed_program(program: ChipProgram, flaws: Flaws) -> ChipProgram:
    """The program with every frozen effect in it, and without the operations of effects that do not act."""
    if not program.profile.imperfection:
        return program
    params = _params(program, flaws)
    profile = _profile(program.profile, flaws)
    arrays = replace(program.arrays, params=params)
    if flaws.touches_weights():
        arrays = _with_own_weights(program, arrays, flaws)
        profile = profile.model_copy(update={"weights": Weights(formula="float")})
    return replace(program, profile=profile, arrays=arrays)


def _profile(profile: Profile, flaws: Flaws) -> Profile:
    """The operations that are there, and a gate for dead neurons."""
    operations: list[Any] = [entry for entry in profile.operation if flaws.acts(entry.name)]
    params = dict(profile.params)
    if flaws.of_kind("dead"):
        params[SILENT] = Param(format="float", default=0.0)
        place = next(k for k, entry in enumerate(operations) if entry.name == profile.fire.name)
        operations[place] = operations[place].model_copy(update={"gate": SILENT})
    return profile.model_copy(update={"operation": tuple(operations), "params": params, "imperfection": ()})


def _params(program: ChipProgram, flaws: Flaws) -> dict[str, NDArray]:
    """Every parameter of every neuron."""
    params = {name: values.copy() for name, values in program.arrays.params.items()}
    dead = np.zeros(program.n_neurons)
    starts = program.arrays.core_neuron_start
    for core in range(program.n_cores):
        for local, number in enumerate(range(int(starts[core]), int(starts[core + 1]))):
            dead[number] = flaws.dead(core, local)
            for name, param in program.profile.params.items():
                if param.is_real:
                    params[name][number] = flaws.parameter(name, params[name][number].item(), core, local)
    return {**params, SILENT: dead} if flaws.of_kind("dead") else params


def _with_own_weights(program: ChipProgram, arrays: ProgramArrays, flaws: Flaws) -> ProgramArrays:
    """One weight a synapse, row after row: rows of a kernel no longer share theirs."""
    written = load_weights(program)
    run_weight = arrays.run_weight.copy()
    runs_of, sizes = [], []
    for first, last in zip(arrays.template_run_start, arrays.template_run_start[1:], strict=False):
        size = 0
        for run in range(first, last):
            run_weight[run] = size
            size += int(arrays.run_length[run])
        runs_of.append(range(first, last))
        sizes.append(size)
    codes: list[float] = []
    axon_weight = arrays.axon_weight.copy()
    for core in range(program.n_cores):
        first_axon, end = (int(arrays.core_axon_start[core + k]) for k in (0, 1))
        first_code = len(codes)
        for axon in range(first_axon, end):
            axon_weight[axon] = len(codes)
            for run in runs_of[int(arrays.axon_template[axon])]:
                place = int(arrays.axon_weight[axon] + arrays.run_weight[run])
                for k in range(int(arrays.run_length[run])):
                    index = len(codes) - first_code
                    codes.append(flaws.weight(float(written[place + k]), core, axon - first_axon, index))
    return replace(
        arrays, codes=np.array(codes, dtype=np.float64), code_format=np.zeros(len(codes), dtype=np.uint8),
        format_mode=np.array([-1], dtype=np.int32), format_shared={}, axon_weight=axon_weight,
        run_weight=run_weight,
    )  # fmt: skip
