"""Wrong steps of whole neurons: their integrators, their parts, what a spike leaves behind."""

import math

from mutant_hooks import mutant, put_entry
from spikeloom.reference.twin import adaptive_exponential as twin_adex
from spikeloom.reference.twin import differential_pair as twin_pair
from spikeloom.reference.twin import elementary as twin_elementary
from spikeloom.reference.twin import linear_neuron as twin_linear


@mutant("dynap_se2:euler")
def a_makers_pulse_of_a_whole_step(put):
    put_entry(put, "dpi_step", t_pulse=1)


@mutant("dynap_se2:euler")
def a_makers_neuron_that_never_rests(put):
    put_entry(put, "dpi_step", refractory=0)


@mutant("dynap_se2")
def half_as_many_parts(put):
    put_entry(put, "dpi_step", parts=2)


@mutant("dynap_se2")
def a_part_of_first_order(put):
    put(twin_pair, "rise_of", lambda z: 1.0)


@mutant("dynap_se2")
def an_inverse_one_step_short(put):
    put(twin_pair, "NEWTON_STEPS", 3)


@mutant("dynap_se2")
def a_spike_at_the_end_of_its_step(put):
    put(twin_pair.Membrane, "time_since", lambda self, before, after, length: 0.0)


@mutant("dynap_se2")
def a_crossing_at_the_start_of_its_part(put):
    right = twin_pair.Membrane.time_since

    def since(self, before, after, length):
        return right(self, math.inf, after, length)

    put(twin_pair.Membrane, "time_since", since)


@mutant("dynap_se2")
def an_adaptation_that_begins_at_the_end_of_its_spikes_step(put):
    right = twin_pair.exponential

    def exponential(entry, get, dt):
        found = right(entry, get, dt)
        tau = get("ut") / get("kappa") * get("c_ahp") / get("itau_ahp")
        return found | {"ahp": found["ahp"] * twin_elementary.exp(get("fired") * get("late") * dt / tau)}

    put(twin_pair, "exponential", exponential)


@mutant("adaptive_second_order")
def twice_as_many_parts_of_a_cell(put):
    put_entry(put, "adex_step", parts=8)


@mutant("adaptive_second_order")
def a_part_of_a_cell_of_first_order(put):
    put(twin_adex, "rise_of", lambda z: 1.0)


@mutant("adaptive_second_order")
def a_cell_that_never_rests(put):
    put_entry(put, "adex_step", refractory=0)


@mutant("adaptive_second_order")
def excitation_of_a_cell_ignored(put):
    put_entry(put, "adex_step", in_exc=0)


@mutant("adaptive_second_order")
def adaptation_around_0_instead_of_rest(put):
    put(twin_adex.Cell, "toward", lambda self: self.get("coupling") * self.v)


@mutant("adaptive_second_order")
def no_making_up_for_the_time_since_a_spike(put):
    put(twin_adex.Cell, "make_up", lambda self, passed, current: None)


@mutant("adaptive_second_order")
def adaptation_that_stands_still_after_a_spike(put):
    put(twin_adex.Cell, "adapt", lambda self, toward, length: None)


@mutant("adaptive_second_order")
def a_cell_that_goes_on_after_its_crossing(put):
    right = twin_adex.Cell.part

    def part(self, length, current, free):
        since, self.since = self.since, 0.0
        right(self, length, current, free)
        self.since = self.since or since and since + length

    put(twin_adex.Cell, "part", part)


@mutant("adaptive_second_order")
def a_crossing_in_volts_instead_of_the_bent_coordinate(put):
    put(twin_adex, "bent", lambda x: x)


@mutant("leaky_step")
def a_linear_spike_at_the_end_of_its_step(put):
    put(twin_linear, "crossing", lambda path, until, top, threshold: until)


@mutant("leaky_step")
def a_crossing_on_a_straight_line(put):
    put(twin_linear, "GUESSES", 0)


@mutant("leaky_step")
def a_crossing_one_guess_short(put):
    put(twin_linear, "GUESSES", 3)


@mutant("leaky_step")
def a_peak_within_a_step_overlooked(put):
    put(twin_linear, "peak", lambda path, length, rising, falling: 0.0)


@mutant("leaky_step")
def a_neuron_without_a_refractory_period_that_waits_for_the_next_step(put):
    put(twin_linear, "restart", lambda entry, neuron: neuron.write(entry.fired, 0.0))


@mutant("leaky_step")
def a_linear_neuron_that_never_rests(put):
    put_entry(put, "linear_step", refractory=0)


@mutant("leaky_step")
def currents_that_wait_for_a_held_neuron(put):
    right = twin_linear.path_of
    put(twin_linear, "path_of", lambda entry, neuron, passed: right(entry, neuron, passed and 0.0))


@mutant("leaky_step")
def currents_of_one_time_constant(put):
    put(twin_linear, "share", lambda z, fall, left: left)


@mutant("leaky_step")
def a_reset_to_0_within_the_step(put):
    put_entry(put, "linear_step", value=0)
