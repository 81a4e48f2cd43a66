"""Wrong trials: noise that is new in every step, and switches of effects that do not switch."""

import math

from flaw_hooks import ALL, flaw_mutant, put_entries, with_fields
from spikeloom.reference.twin import imperfections as twin_imperfections
from spikeloom.reference.twin import neuron as twin_neuron
from spikeloom.reference.twin import noise as twin_noise
from spikeloom.reference.twin.imperfections import Flaws
from spikeloom.reference.twin.noise import Lateness, NoisyReads


def put_temporal(put, change):
    """Draws of another (stream, layer, core, index)."""
    right = twin_neuron.Moment.draw
    put(twin_neuron.Moment, "draw", lambda self, *place: right(self, *change(*place)))


@flaw_mutant("pcm_crossbar")
def reads_in_the_stream_of_membranes(put):
    put_temporal(put, lambda stream, *rest: ("membrane", *rest))


@flaw_mutant("flawed", "pcm_crossbar")
def temporal_effects_without_their_number(put):
    put_temporal(put, lambda stream, layer, core, index: (stream, 0, core, index))


@flaw_mutant("flawed", "pcm_crossbar")
def temporal_draws_alike_on_every_core(put):
    put_temporal(put, lambda stream, layer, core, index: (stream, layer, 0, index))


@flaw_mutant(*ALL)
def noise_of_another_trial(put):
    right = twin_neuron.Moment.draw

    def draw(self, *place):
        return right(twin_neuron.Moment(self.dt, self.step, self.sample, 0, self.layers), *place)

    put(twin_neuron.Moment, "draw", draw)


@flaw_mutant(*ALL)
def noise_of_another_sample(put):
    right = twin_neuron.Moment.draw

    def draw(self, *place):
        return right(twin_neuron.Moment(self.dt, self.step, 0, self.trial_seed, self.layers), *place)

    put(twin_neuron.Moment, "draw", draw)


@flaw_mutant("pcm_crossbar")
def read_noise_frozen(put):
    right = twin_neuron.Moment.draw

    def draw(self, *place):
        return right(twin_neuron.Moment(self.dt, 0, self.sample, self.trial_seed, self.layers), *place)

    put(twin_neuron.Moment, "draw", draw)


@flaw_mutant("pcm_crossbar")
def read_noise_left_out(put):
    put(NoisyReads, "of", lambda self, axon, place, weights: weights)


@flaw_mutant("pcm_crossbar")
def read_noise_of_a_fresh_device(put):
    right = twin_imperfections.read_noise
    put(twin_imperfections, "read_noise", lambda weight, entry, age_s: right(weight, entry, 0.0))


@flaw_mutant("pcm_crossbar")
def read_noise_not_bounded(put):
    put_entries(put, "read_noise", q_max=1e9)


@flaw_mutant("pcm_crossbar")
def read_noise_as_a_variance(put):
    right = twin_imperfections.read_noise
    put(twin_imperfections, "read_noise", lambda weight, entry, age_s: right(weight, entry, age_s) ** 2)


def put_lateness(put, **fields):
    """A jitter with other fields, as it is used."""
    right = Lateness.__init__

    def start(self, program, flaws, moment):
        right(self, program, flaws, moment)
        self.entries = [(number, with_fields(entry, fields)) for number, entry in self.entries]

    put(Lateness, "__init__", start)


@flaw_mutant("flawed")
def spikes_on_time(put):
    put(Lateness, "of", lambda self, neuron: 0)


@flaw_mutant("flawed")
def lateness_without_its_bound(put):
    put_lateness(put, max_s=lambda entry: 1e3 * entry.max_s)


@flaw_mutant("flawed")
def lateness_in_ticks(put):
    put_lateness(put, std_s=lambda entry: entry.std_s / 4)


@flaw_mutant("flawed")
def lateness_rounded_down(put):
    right = math.floor

    class Down:
        floor = staticmethod(lambda value: right(value - 0.5) if value != int(value) else right(value))
        sqrt = staticmethod(math.sqrt)

    put(twin_noise, "math", Down)


@flaw_mutant("flawed")
def no_spike_comes_early(put):
    right = Lateness.of
    put(Lateness, "of", lambda self, neuron: max(right(self, neuron), 0))


# Switches.


@flaw_mutant("brainscales2", "pcm_crossbar")
def operations_stay_when_their_effect_is_left_out(put):
    put(Flaws, "acts", lambda self, operation: True)


@flaw_mutant("brainscales2", "pcm_crossbar")
def operations_go_whether_their_effect_acts_or_not(put):
    def acts(self, operation):
        return all(operation not in getattr(e, "operations", ()) for e in self.profile.imperfection)

    put(Flaws, "acts", acts)


@flaw_mutant(*ALL)
def nothing_is_left_out(put):
    right = Flaws.__post_init__

    def start(self):
        self.effects = [entry.name for entry in self.profile.imperfection]
        right(self)

    put(Flaws, "__post_init__", start)


@flaw_mutant("brainscales2_matrix")
def noise_that_is_left_out_stays(put):
    right = Flaws.parameter

    def parameter(self, name, value, core, local):
        return right(
            Flaws(self.profile, self.seed, self.age_s, [*self.effects, "noise"]), name, value, core, local
        )

    put(Flaws, "parameter", parameter)
