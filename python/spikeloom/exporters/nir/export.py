"""A program as a NIR graph, with a table of what each register became and a list of what NIR cannot say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import ProgramError
from spikeloom.exporters.synapse_lists import SynapseList, synapse_lists
from spikeloom.profile.dynamics import Dynamics, neuron_dynamics
from spikeloom.profile.schema import Profile
from spikeloom.program.program import ChipProgram, Placed, Port

Array = NDArray[np.float64]
ENDLESS = 1e12  # ticks of a time constant that stands for "forgets nothing"


def export_nir(program: ChipProgram, folder: Path) -> list[Path]:
    """Write `network.nir` and `fidelity.json` into a folder.

    Kernels are written out as matrices. What NIR cannot say, the start of a membrane for example, stands in the
    metadata of the nodes, which `load_network` reads, and in the list `not_said` of the table.

    Raises ProgramError for a program with a layer on the host or several receptors, and ProfileError for neurons
    that are not leaky integrators.
    """
    try:
        import nir
    except ModuleNotFoundError:
        raise ProgramError("package nir", "is not installed", remedy='pip install "spikeloom[nir]"') from None
    lists = synapse_lists(program)
    _check(program, lists)
    nodes: dict[str, Any] = {port.name: _input(nir, port) for port in program.inputs}
    edges: list[tuple[str, str]] = []
    rows: list[dict[str, Any]] = []
    for placed in program.populations:
        into = [found for found in lists if found.target_name == placed.name]
        _add_population(nir, program, placed, into, nodes, edges, rows)
    for port in program.outputs:
        name = f"{port.name}_output"
        nodes[name] = _output(nir, port)
        edges.append((port.name, name))
    graph = nir.NIRGraph(nodes, edges, metadata={"dt": tick_of(program.profile), "profile": program.profile.name,
                                                 "ticks": program.ticks})  # fmt: skip
    network, table = folder / "network.nir", folder / "fidelity.json"
    nir.write(str(network), graph)
    table.write_text(
        json.dumps({"parameters": rows, "not_said": _not_said(program)}, indent=1), encoding="utf-8"
    )
    return [network, table]


def tick_of(profile: Profile) -> float:
    """Seconds of a tick; 1 where the profile does not say."""
    return profile.time.tick_s or 1.0


def _check(program: ChipProgram, lists: list[SynapseList]) -> None:
    if program.hosts:
        raise ProgramError("program", "has a layer that the host computes, which NIR cannot say",
                           remedy='convert with encoding="rate" or "bits"')  # fmt: skip
    if any(found.receptor for found in lists):
        raise ProgramError(
            "program", "has several receptors, which NIR cannot say", remedy="use one receptor"
        )


def _input(nir: Any, port: Port) -> Any:
    notes: dict[str, Any] = {"encoding": port.encoding or "spikes"}
    if notes["encoding"] != "spikes" or port.order is not None:
        notes |= {"signed": int(port.signed), "planes": port.planes}
        notes |= {
            key: value for key, value in (("scale", port.scale), ("order", port.order)) if value is not None
        }
    return nir.Input({"input": np.array([port.size])}, metadata=notes)


def _output(nir: Any, port: Port) -> Any:
    notes = {"read": port.read, "scale": port.scale, "offset": port.offset}
    return nir.Output(
        {"output": np.array([port.size])}, metadata={k: v for k, v in notes.items() if v is not None}
    )


def _add_population(
    nir: Any, program: ChipProgram, placed: Placed, into: list[SynapseList],
    nodes: dict[str, Any], edges: list[tuple[str, str]], rows: list[dict[str, Any]],
) -> None:  # fmt: skip
    """The neurons of a population, and an Affine or Linear and a Delay for each list of synapses onto it."""
    registers = _Registers(program, placed)
    nodes[placed.name] = registers.node(nir)
    rows += registers.rows()
    bias = registers.bias
    if bias.any() and not into:
        raise ProgramError(f"population {placed.name}", "has a bias and no synapses, which NIR cannot say",
                           remedy="connect an input to it")  # fmt: skip
    sizes = {port.name: port.size for port in program.inputs} | {
        p.name: p.neurons.size for p in program.populations
    }
    for k, found in enumerate(into):
        name = f"{found.source_name}_to_{placed.name}" + (f"_{k}" if k else "")
        weight = np.zeros((placed.neurons.size, sizes[found.source_name]))
        np.add.at(weight, (found.target, found.source), found.worth / registers.scale)
        carries_bias = k == 0 and bias.any()
        nodes[name] = nir.Affine(weight, bias) if carries_bias else nir.Linear(weight)
        chain = [found.source_name, name, placed.name]
        if found.delay:
            nodes[f"{name}_delay"] = nir.Delay(
                np.full(weight.shape[1], found.delay * tick_of(program.profile))
            )
            chain.insert(1, f"{name}_delay")
        edges += list(zip(chain, chain[1:], strict=False))


class _Registers:
    """What the registers of a population stand for, in NIR's terms.

    scale: LSB of the membrane per unit of NIR's v; bias: constant current, in NIR's terms
    """

    def __init__(self, program: ChipProgram, placed: Placed) -> None:
        self._profile, self._name = program.profile, placed.name
        arrays = program.arrays
        self._params = {key: values[placed.neurons] for key, values in arrays.params.items()}
        self._init = {key: values[placed.neurons] for key, values in arrays.init.items()}
        self._dt = tick_of(program.profile)
        self._dynamics: Dynamics = neuron_dynamics(program.profile)
        thresholds = self._threshold()
        self.scale = 1.0 if program.profile.is_analog else float(thresholds.max())
        self._thresholds = thresholds / self.scale
        self._lost_current = 1.0 - self._kept(self._dynamics.current, 0.0)
        self._lost_membrane = np.maximum(1.0 - self._kept(self._dynamics.membrane, 1.0), 1.0 / ENDLESS)
        self.bias = self._bias() / self.scale * (self._lost_current if self._has_current else 1.0)

    @property
    def _has_current(self) -> bool:
        return bool((self._lost_current < 1.0).any())

    def _kept(self, decay: Any, otherwise: float) -> Array:
        size = len(self._thresholds)
        return np.full(size, otherwise) if decay is None else decay.kept(self._params[decay.param])

    def _threshold(self) -> Array:
        """NIR fires above its threshold; a chip that fires at it has a lower one there."""
        fire, name = self._profile.fire, str(self._profile.fire.thr)
        values: Array = self._params[name] * 2.0 ** self._profile.params[name].shift
        if fire.cmp == "gt":
            return values
        return np.asarray(np.nextafter(values, -np.inf) if self._profile.is_analog else values - 0.5)

    def _bias(self) -> Array:
        name = self._profile.bias.param
        if self._profile.bias.kind != "register" or name is None:
            return np.zeros(len(self._thresholds))
        exponent = self._params.get(f"{name}_exp", self._profile.params[name].shift)
        return np.asarray(self._params[name] * 2.0 ** np.asarray(exponent, dtype=np.float64))

    def node(self, nir: Any) -> Any:
        """IF where nothing is forgotten, LIF where the membrane leaks, CubaLIF where synaptic currents last."""
        zero = np.zeros(len(self._thresholds))
        ends = {"v_threshold": self._thresholds, "v_reset": zero, "metadata": self._notes()}
        if self._has_current:
            syn, mem = self._dt / self._lost_current, self._dt / self._lost_membrane
            return nir.CubaLIF(
                tau_syn=syn, tau_mem=mem, r=mem / self._dt, v_leak=zero, w_in=syn / self._dt, **ends
            )
        if (self._lost_membrane > 1.0 / ENDLESS).any():
            mem = self._dt / self._lost_membrane
            return nir.LIF(tau=mem, r=mem / self._dt, v_leak=zero, **ends)
        return nir.IF(r=np.full(len(zero), 1.0 / self._dt), **ends)

    def _notes(self) -> dict[str, Any]:
        """What NIR has no words for: the unit, the reset, and every other register that the program sets."""
        said = {str(self._profile.fire.thr), self._profile.bias.param, f"{self._profile.bias.param}_exp",
                *self._dynamics.quiet}  # fmt: skip
        said |= {
            decay.param for decay in (self._dynamics.current, self._dynamics.membrane) if decay is not None
        }
        notes: dict[str, Any] = {
            "lsb_per_unit": self.scale,
            "reset": getattr(self._profile.fire, "reset", "subtract"),
        }
        notes |= {f"param.{key}": values for key, values in self._params.items() if key not in said}
        return notes | {f"init.{key}": values for key, values in self._init.items()}

    def rows(self) -> list[dict[str, Any]]:
        """The table: each parameter of NIR, the register that it stands for, and the error, which is 0."""
        fire, owner = str(self._profile.fire.thr), f"population {self._name}"
        listed = [("v_threshold", self._thresholds, self._params[fire]), ("bias", self.bias, self._params.get(
            str(self._profile.bias.param), np.zeros(len(self.bias))))]  # fmt: skip
        for what, decay, lost in (("tau_syn", self._dynamics.current, self._lost_current),
                                  ("tau_mem", self._dynamics.membrane, self._lost_membrane)):  # fmt: skip
            if decay is not None:
                listed.append((what, self._dt / lost, self._params[decay.param]))
        return [{"owner": owner, "parameter": name, "count": len(values), "value": float(values[0]),
                 "register": float(codes[0]), "error": 0.0} for name, values, codes in listed]  # fmt: skip


def _not_said(program: ChipProgram) -> list[str]:
    """What the chip does and NIR has no words for."""
    profile = program.profile
    said = [
        f"a hop between populations takes {profile.time.spike_latency_ticks} ticks",
        f"after a spike the membrane is set by: {getattr(profile.fire, 'reset', 'subtract')}",
        "widths of registers, and what happens at their ends: " + ", ".join(profile.regs),
    ]
    if program.arrays.init:
        said.append("registers start at values of their own: " + ", ".join(program.arrays.init))
    encodings = sorted({port.encoding for port in program.inputs if port.encoding not in (None, "spikes")})
    if encodings:
        said.append("how inputs become spikes: " + ", ".join(map(str, encodings)))
    if any(port.read != "spikes" for port in program.outputs):
        said.append("outputs are read from a register, scaled by the host")
    return said
