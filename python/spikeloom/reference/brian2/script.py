"""A Brian2 model as a script that runs on its own: numpy and Brian2 are all that it needs.

The script is read off the very objects that a cross-check runs, so it cannot mean something else. It holds the spikes
that went in and the registers that are expected, runs the samples, compares every value, and says what it found.
"""

from __future__ import annotations

import base64
import io
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.program.program import ChipProgram
from spikeloom.reference.brian2.block import variable
from spikeloom.reference.brian2.model import Brian2Model
from spikeloom.reference.brian2.real_operations import tolerance_of
from spikeloom.reference.brian2.setup import in_steps, plain_numpy
from spikeloom.reference.brian2.synapses import BiasOverride
from spikeloom.reference.compare import Trace

HEAD = '''\
"""A chip program of profile {profile} in Brian2, with what the emulated chip did: {samples} samples, {ticks} ticks.

Run it with Python; numpy and Brian2 are all that it needs. It ends with 0 where {verdict}.
"""

from __future__ import annotations

import base64, io, sys, warnings

import numpy as np

warnings.simplefilter("ignore")
from brian2 import Clock, Function, Network, NeuronGroup, StateMonitor, Synapses, TimedArray, ms, prefs

prefs.codegen.target = "numpy"
prefs.codegen.string_expression_target = "numpy"
prefs.codegen.loop_invariant_optimisations = False
DATA = {{}}  # filled at the end of this file, where the arrays are


def exact(function, arguments):
    made = Function(function, arg_units=[1] * arguments, return_unit=1)
    made.implementations.add_numpy_implementation(function, discard_units=True)
    return made


FUNCTIONS = {{
    "whole": exact(lambda x: np.floor(x), 1),  # Brian2's own floor passes through 32 bits
    "power": exact(lambda e: np.ldexp(1.0, np.asarray(e).astype(np.int32)), 1),
    "minimum": exact(lambda a, b: np.minimum(a, b), 2),
    "maximum": exact(lambda a, b: np.maximum(a, b), 2),
}}
TICKS, SAMPLES = {ticks}, {samples}
REGISTERS = {registers}
clock = Clock(dt=1 * ms)


def run(network, neurons, sample):
    network.restore()
    for key in [key for key in DATA if key.startswith(f"bias{{sample}}.")]:
        getattr(neurons, key.partition(".")[2] + "_")[:] = DATA[key]
    table = TimedArray(DATA[f"input{{sample}}"], dt=clock.dt, name="input_count*")
    network.run(TICKS * clock.dt, namespace={{"input_count": table, **FUNCTIONS}})
    if neurons.trap_site_[:].any():
        sys.exit("a register left its width")


def filled(group, name):
    for key in DATA:
        owner, _, value = key.partition(".")
        if owner == name:
            getattr(group, value + "_")[:] = DATA[key]
    return group


def build():
'''
TAIL = """

TOLERANCE = {tolerance!r}  # of a register, relative to its largest value


def main():
    network, neurons, monitor = build()
    network.store()
    spikes = values = different = 0
    for sample in range(SAMPLES):
        run(network, neurons, sample)
        for name, watched in REGISTERS.items():
            got, expected = getattr(monitor, watched + "_").T, DATA[f"expected{sample}.{name}"]
            allowed = 0.0 if name == "spikes" else TOLERANCE * np.abs(got).max(initial=0.0)
            different += int((~(np.abs(got - expected) <= allowed)).sum())
            spikes += int(expected.sum()) if name == "spikes" else 0
            values += 0 if name == "spikes" else expected.size
    print(f"{'equal' if not different else f'{different} values differ'}: {spikes} spikes, "
          f"{values} register values, {SAMPLES} samples")
    return 1 if different else 0


"""
START = """\
for key, array in np.load(io.BytesIO(base64.b64decode(ARRAYS)), allow_pickle=False).items():
    DATA[key] = array.astype(int if key.endswith((":i", ":j")) else float)

if __name__ == "__main__":
    sys.exit(main())
"""


@dataclass
class Script:
    """The lines of `build`, and the arrays that the script carries."""

    lines: list[str] = field(default_factory=list)
    arrays: dict[str, NDArray] = field(default_factory=dict)

    def add(self, text: str) -> None:
        """One more line."""
        self.lines.append(text)

    @property
    def text(self) -> str:
        """The body of `build`."""
        return textwrap.indent("\n".join(self.lines), "    ")


def brian2_script(
    program: ChipProgram, spikes: NDArray, overrides: Sequence[BiasOverride], expected: Sequence[Trace]
) -> str:
    """The text of the script.

    Parameters
    ----------
    spikes, overrides : as `run_brian2_samples` takes them.
    expected : what each sample must give.

    Raises EmulationError where Brian2 cannot carry the program.
    """
    ticks, spikes = len(expected[0].spikes), in_steps(program.profile.time, spikes)
    with plain_numpy():
        script = script_of(Brian2Model(program, spikes, overrides), spikes, overrides, ticks)
    registers = {"spikes": "z"} | {name: variable(name) for name in program.profile.element_names()}
    for sample, trace in enumerate(expected):
        script.arrays |= {f"expected{sample}.spikes": trace.spikes}
        script.arrays |= {f"expected{sample}.{name}": values for name, values in trace.registers.items()}
    facts = {"samples": len(spikes), "ticks": ticks, "registers": repr(registers)}
    head = HEAD.format(profile=program.profile.name, verdict="every spike and register is equal", **facts)
    tail = TAIL.replace("{tolerance!r}", repr(tolerance_of(program.profile)))
    return head + script.text + tail + data_text(script.arrays)


def script_of(model: Brian2Model, spikes: NDArray, overrides: Sequence[BiasOverride], ticks: int) -> Script:
    """The model's objects as code, with its values, the inputs and the biases of every sample."""
    script = Script()
    _group(script, "axons", model.axons)
    _group(script, "neurons", model.neurons)
    names = [_pathways(script, k, each) for k, each in enumerate(model.objects[2:])]
    model.network.run(0 * model.dt, namespace=model.namespace(spikes[0], ticks))  # else Brian2 misses its use
    for sample, (trains, override) in enumerate(zip(spikes, overrides, strict=True)):
        script.arrays[f"input{sample}"] = model.due.input_table(trains, ticks)
        script.arrays |= _biases(model.program, model, sample, override)
    _monitor(script, names)
    return script


def _group(script: Script, name: str, group: Any) -> None:
    """A NeuronGroup: its variables and their values, its code of a tick, its events."""
    events = {event: condition for event, condition in group.events.items() if event != "spike"}
    variables = sorted(group.user_equations.names)
    arguments = [
        str(group.N), _text("\n".join(f"{one} : 1" for one in variables)), "clock=clock", "namespace={}",
        f'name="{name}"', *([f"events={events!r}"] if events else []),
    ]  # fmt: skip
    if "spike" in group.events:
        arguments += [f"threshold={group.events['spike']!r}", 'reset=""', "refractory=False"]
    script.add(f"{name} = NeuronGroup({', '.join(arguments)})")
    for runner in group.contained_objects:
        if type(runner).__name__ == "CodeRunner":
            _add_runner(script, name, runner)
        elif type(runner).__name__ == "Thresholder" and runner.event in events:
            script.add(
                f'{name}.set_event_schedule("{runner.event}", when="{runner.when}", order={runner.order})'
            )
    for one in variables:
        values = np.asarray(getattr(group, one + "_")[:])
        if values.any():
            script.arrays[f"{name}.{one}"] = values
    script.add(f'filled({name}, "{name}")')


def _add_runner(script: Script, name: str, runner: Any) -> None:
    code = _text(runner.abstract_code)
    script.add(f'{name}.run_regularly({code}, when="{runner.when}", order={runner.order}, clock=clock)')


def _pathways(script: Script, number: int, synapses: Any) -> str:
    """A Synapses object with its pathways, their places in the tick and their delays, in ticks."""
    name = f"synapses{number}"
    variables = sorted(synapses.equations.names)
    code = {path.objname: path.code for path in synapses._pathways}
    events = {path.objname: path.event for path in synapses._pathways}
    delays = {path.objname: np.rint(np.asarray(path.delay_[:]) / 1e-3) for path in synapses._pathways}
    same = {path: values for path, values in delays.items() if len(np.unique(values)) <= 1}
    fixed = ", ".join(f"{path!r}: {int(values.max(initial=0))} * ms" for path, values in same.items())
    model = repr("\n".join(f"{one} : 1" for one in variables))
    script.add(
        f"{name} = Synapses({_plain(synapses.source)}, {_plain(synapses.target)}, {model}, on_pre={code!r}, "
        f'on_event={events!r}, delay={{{fixed}}}, clock=clock, namespace={{}}, name="{name}")'
    )
    ends = {"i": np.asarray(synapses.i[:]), "j": np.asarray(synapses.j[:])}
    script.arrays |= {f"{name}:{end}": values for end, values in ends.items()}
    script.add(f'{name}.connect(i=DATA["{name}:i"], j=DATA["{name}:j"])')
    for one in variables:
        script.arrays[f"{name}:{one}"] = np.asarray(getattr(synapses, one + "_")[:])
        script.add(f'{name}.{one}_[:] = DATA["{name}:{one}"]')
    for runner in synapses.contained_objects:
        if type(runner).__name__ == "CodeRunner":
            _add_runner(script, name, runner)
    for path in synapses._pathways:
        script.add(f'{name}.{path.objname}.when, {name}.{path.objname}.order = "{path.when}", {path.order!r}')
        if path.objname not in same:
            script.arrays[f"{name}:{path.objname}"] = delays[path.objname]
            script.add(f'{name}.{path.objname}.delay[:] = DATA["{name}:{path.objname}"] * ms')
    return name


def _plain(group: Any) -> str:
    """The script's name of a group; Brian2 may have numbered it."""
    return "axons" if str(group.name).startswith("axons") else "neurons"


def _monitor(script: Script, names: Sequence[str]) -> None:
    script.add(
        'monitor = StateMonitor(neurons, list(REGISTERS.values()), record=True, when="end", clock=clock)'
    )
    script.add(f"return Network(axons, neurons, monitor, {', '.join(names)}), neurons, monitor")


def _biases(
    program: ChipProgram, model: Brian2Model, sample: int, override: BiasOverride
) -> Mapping[str, NDArray]:
    """The bias of every neuron of a sample, where the host writes some."""
    if not override:
        return {}
    name = str(program.profile.bias.param)
    values = np.array(model.params[name], dtype=np.float64)
    for population in program.populations:
        if population.name in override:
            values[population.neurons] = override[population.name]
    return {f"bias{sample}.{variable(name)}": values}


def _text(code: str) -> str:
    return f'"""\n{code}\n"""' if "\n" in code else repr(code)


def data_text(arrays: Mapping[str, NDArray]) -> str:
    """The arrays as text, and the line that starts the script."""
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer, allow_pickle=False, **{key: _narrow(values) for key, values in arrays.items()}
    )
    text = "\n".join(textwrap.wrap(base64.b64encode(buffer.getvalue()).decode(), 116))
    return f'ARRAYS = """\n{text}\n"""\n{START}'


def _narrow(values: NDArray) -> NDArray:
    """Integers in their narrowest type; they are float64 again where Brian2 takes them."""
    if values.dtype.kind == "f" and (not np.isfinite(values).all() or (values != np.rint(values)).any()):
        return values
    if np.abs(values).max(initial=0) >= 2.0**62:
        return values
    whole = values.astype(np.int64)
    ends = (np.min_scalar_type(int(end)) for end in (whole.min(initial=0), whole.max(initial=0)))
    return whole.astype(np.result_type(*ends))
