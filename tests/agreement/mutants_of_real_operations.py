"""Wrong operations of real numbers, wrong steps and wrong noise."""

import math

from mutant_hooks import altered, mutant, put_entry, put_fields, put_operation
from spikeloom.reference.twin import elementary as twin_elementary
from spikeloom.reference.twin import executor as twin
from spikeloom.reference.twin import neuron as twin_neuron
from spikeloom.reference.twin import real_operations as twin_real_operations


def put_gains(put, op, change):
    """Let an operation see other gains."""
    put_fields(put, op, lambda entry, neuron: {"gains": change(entry.gains)})


@mutant("leaky_exact")
def last_source_of_a_state_ignored(put):
    put_gains(put, "linear_exact", lambda rows: {k: dict([*row.items()][:-1]) for k, row in rows.items()})


@mutant("leaky_exact")
def states_one_after_the_other(put):
    def linear(entry, neuron):
        for k, state in enumerate(entry.states):
            row = {state: entry.gains.get(state, {})}
            one = {"states": (state,), "taus": (entry.taus[k],), "gains": row}
            twin_real_operations.linear_exact(altered(entry, **one), neuron)

    put_operation(put, "linear_exact", linear)


@mutant("leaky_exact")
def euler_instead_of_the_exact_step(put):
    def euler(equations, size, dt):
        matrix = [[float(k == j) for j in range(size)] for k in range(size)]
        for k, (tau, gains) in enumerate(equations):
            matrix[k][k] -= dt / tau
            for column, gain in gains:
                matrix[k][column] += gain * dt / tau
        return matrix

    put(twin_real_operations, "step_matrix", euler)


@mutant("leaky_exact")
def sums_the_other_way_round(put):
    put(
        twin_real_operations,
        "dot",
        lambda a, b: sum(x * y for x, y in reversed(list(zip(a, b, strict=True)))),
    )


@mutant("adaptive_exponential")
def exp_of_the_c_library(put):
    put(twin_elementary, "exp", math.exp)


@mutant("adaptive_exponential")
def gains_of_a_membrane_ignored(put):
    put_gains(put, "exp_euler", lambda gains: {})


@mutant("adaptive_exponential")
def conductances_without_their_leak(put):
    put_fields(
        put, "exp_euler", lambda entry, neuron: {"conductances": dict.fromkeys(entry.conductances, "rest")}
    )


@mutant("adaptive_exponential")
def an_exponential_without_its_bound(put):
    put_entry(put, "exp_drive", max=100)


@mutant("adaptive_exponential")
def noise_left_out(put):
    put_operation(put, "add_noise", lambda entry, neuron: None)


@mutant("adaptive_exponential")
def noise_of_the_step_before(put):
    right = twin_neuron.Moment.noise

    def noise(self, stream, effect, core, index):
        self.step -= 1
        try:
            return right(self, stream, effect, core, index)
        finally:
            self.step += 1

    put(twin_neuron.Moment, "noise", noise)


@mutant("adaptive_exponential")
def noise_without_the_core(put):
    right = twin_neuron.Moment.noise
    put(twin_neuron.Moment, "noise", lambda self, stream, effect, core, i: right(self, stream, effect, 0, i))


@mutant("adaptive_exponential")
def noise_without_its_layer(put):
    right = twin_neuron.Moment.noise

    def noise(self, stream, effect, core, index):
        self.layers = dict.fromkeys(self.layers, 0)
        return right(self, stream, effect, core, index)

    put(twin_neuron.Moment, "noise", noise)


@mutant("adaptive_exponential")
def nonlinearity_ignored(put):
    put_entry(put, "adc", inl=())


@mutant("adaptive_exponential")
def codes_rounded_to_the_nearest(put):
    right = twin_real_operations.code_of
    put(twin_real_operations, "code_of", lambda position, entry: right(position + 0.5, entry))


@mutant("adaptive_exponential")
def one_code_too_many(put):
    def code(position, entry):
        return min(max(float(math.floor(position)), 0.0), 2.0**entry.bits)

    put(twin_real_operations, "code_of", code)


@mutant("leaky_exact")
def all_lines_in_the_first_step(put):
    def lines(program, spikes, step):
        steps = program.profile.time.steps_per_tick
        tick, phase = divmod(step, steps)
        if phase or tick >= len(spikes):
            return [] if tick >= len(spikes) else [0] * len(spikes[tick])
        return [int(n) for n in spikes[tick]]

    put(twin, "due_lines", lines)


@mutant("leaky_exact")
def a_tick_of_one_step(put):
    put(twin, "due_lines", lambda program, spikes, t: [int(n) for n in spikes[t]] if t < len(spikes) else [])


@mutant("brainscales2_matrix")
def only_one_half_of_the_array(put):
    put_fields(put, "mac", lambda entry, neuron: {"blocks": entry.blocks[:1]})


@mutant("brainscales2_matrix")
def products_rounded_to_the_nearest(put):
    put_entry(put, "mac", round="nearest")


@mutant("dynap_se2")
def a_pulse_of_a_whole_step(put):
    put_entry(put, "dpi_step", t_pulse=1)


@mutant("dynap_se2")
def a_neuron_that_never_rests(put):
    put_entry(put, "dpi_step", refractory=0)


@mutant("dynap_se2")
def inhibition_ignored(put):
    put_entry(put, "dpi_step", in_inh=0)
