"""A noisy Brian2 model as a script that runs on its own, and tests its trials against those of the emulated chip.

The test in the script is the text of `reference.distributions`, so it is the one that a cross-check makes.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import EmulationError
from spikeloom.program.program import ChipProgram
from spikeloom.reference import distributions
from spikeloom.reference.brian2.block import variable
from spikeloom.reference.brian2.noise import MOST_SYNAPSES, NoisyModel
from spikeloom.reference.brian2.script import HEAD, data_text, script_of
from spikeloom.reference.brian2.setup import in_steps, plain_numpy
from spikeloom.reference.brian2.synapses import BiasOverride
from spikeloom.reference.distributions import Trials
from spikeloom.reference.flawed_program import flawed_program
from spikeloom.reference.random_programs import RandomProgram
from spikeloom.reference.side_by_side import side_by_side
from spikeloom.reference.twin.imperfections import Flaws

TAIL = """

TRIALS, NEURONS, LEVEL, SEED = {trials}, {neurons}, {level!r}, {seed}
READ = {read}  # a variable of Brian2 for each register that is read, and its neurons


class EmulationError(Exception):
    def __init__(self, *words, **facts):
        super().__init__(" ".join(words), facts)


{distributions}

def trials_of(neurons, monitor):
    fired = np.asarray(monitor.z_).T.reshape(TICKS, TRIALS, NEURONS).transpose(1, 0, 2)
    values = [np.asarray(getattr(neurons, name + "_")[:]).reshape(TRIALS, NEURONS)[:, at] for name, at in READ]
    read = np.array([neuron for _, at in READ for neuron in at], dtype=int)
    return Trials.of(fired.round().astype(int), np.concatenate([np.zeros((TRIALS, 0)), *values], axis=1), read)


def main():
    network, neurons, monitor = build()
    network.store()
    seed(SEED)
    drawn = []
    for sample in range(SAMPLES):
        run(network, neurons, sample)
        drawn.append(trials_of(neurons, monitor))
    kept = [DATA[f"chip.{{name}}"] for name in ("counts", "intervals", "values")]
    chip = Trials(*kept, DATA["chip.read"].astype(int))
    tests = compare_trials(Trials.joined(drawn), chip, neurons=NEURONS, level=LEVEL, seed=SEED)
    for test in tests:
        print("as it should be" if test.ok else "DIFFERENT", test)
    return 0 if all(test.ok for test in tests) else 1


"""


def noise_script(
    program: ChipProgram,
    spikes: Sequence[NDArray],
    biases: Sequence[Sequence[BiasOverride]],
    got: Trials,
    *,
    steps: int,
    chip: Flaws,
    level: float,
    seed: int,
) -> str:
    """The text of the script.

    Parameters
    ----------
    spikes, biases : for each sample, those of every trial, as `run_brian2_trials` takes them.
    got : what the emulated chip did in as many trials, of all samples.
    steps : ticks of a run, or steps where the profile divides its tick.
    chip : the imperfections that act, frozen and temporal.

    Raises EmulationError where the trials do not fit one model.
    """
    trials = len(spikes[0])
    most = MOST_SYNAPSES // max(len(program.arrays.codes), 1)
    if trials > most:
        raise EmulationError("script", "holds a copy of the program for each trial, too many for one model",
                             value=trials, limit=most, remedy="use fewer trials")  # fmt: skip
    one = replace(flawed_program(program, chip), ticks=-(-steps // program.profile.time.steps_per_tick))
    copies = [side_by_side([RandomProgram(one, rows, {}) for rows in sample]) for sample in spikes]
    rows = np.stack(
        [in_steps(program.profile.time, joined.spikes[None, : spikes[0].shape[1]])[0] for joined in copies]
    )
    overrides = [
        {f"{k}.{name}": values for k, trial in enumerate(sample) for name, values in trial.items()}
        for sample in biases
    ]
    with plain_numpy():
        script = script_of(NoisyModel(copies[0].program, rows, overrides, chip), rows, overrides, steps)
    script.arrays |= {f"chip.{name}": getattr(got, name) for name in ("counts", "intervals", "values")}
    script.arrays["chip.read"] = np.asarray(got.read)
    facts = {"samples": len(spikes), "ticks": steps, "registers": repr({"spikes": "z"})}
    verdict = "spikes, intervals and what is read may have one distribution"
    head = HEAD.format(profile=program.profile.name, verdict=verdict, **facts)
    tail = TAIL.format(
        trials=trials,
        neurons=program.n_neurons,
        level=level,
        seed=seed,
        read=repr(_read(program)),
        distributions=_test(),
    )
    return (
        head.replace("StateMonitor,", "StateMonitor, seed,", 1)
        + script.text
        + tail
        + data_text(script.arrays)
    )


def _read(program: ChipProgram) -> list[tuple[str, list[int]]]:
    """Brian2's name of each register that is read out, and its neurons."""
    ports = [port for port in program.outputs if port.read != "spikes"]
    return [(variable(port.read), np.asarray(port.neurons).tolist()) for port in ports]


def _test() -> str:
    """The module of the test without its heading and imports but those that stand alone."""
    text = inspect.getsource(distributions)
    text = text[text.index("from collections.abc") :]
    return "\n".join(
        line for line in text.splitlines() if not line.startswith(("from spikeloom", "import numpy"))
    )
