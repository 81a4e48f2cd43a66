"""Wrong chips: keys, places, signs, units and orders of what is frozen in them."""

import math

from flaw_hooks import ALL, flaw_mutant, put_draw, put_entries, put_normals
from mutant_hooks import altered
from spikeloom.reference.twin import elementary as twin_elementary
from spikeloom.reference.twin import imperfections as twin_imperfections
from spikeloom.reference.twin.imperfections import Flaws

# Keys and counters of what is frozen.


@flaw_mutant(*ALL)
def every_chip_is_chip_0(put):
    right = Flaws.__post_init__

    def start(self):
        right(self)
        self.seed = 0

    put(Flaws, "__post_init__", start)


@flaw_mutant("flawed", "pcm_crossbar")
def all_kinds_in_one_stream(put):
    put(twin_imperfections, "STREAMS", dict.fromkeys(twin_imperfections.STREAMS, 16))


@flaw_mutant(*ALL)
def entries_without_their_number(put):
    put_draw(put, lambda kind, number, core, index: (kind, 0, core, index))


@flaw_mutant("flawed", "brainscales2")
def entries_counted_among_those_that_act(put):
    def start(self):
        acting = [entry for entry in self.profile.imperfection if entry.name in self.effects]
        self.entries = list(enumerate(acting))

    put(Flaws, "__post_init__", start)


@flaw_mutant("flawed", "pcm_crossbar")
def every_core_draws_alike(put):
    put_draw(put, lambda kind, number, core, index: (kind, number, 0, index))


@flaw_mutant(*ALL)
def places_counted_from_1(put):
    put_draw(put, lambda kind, number, core, index: (kind, number, core, index + 1))


@flaw_mutant(*ALL)
def first_word_of_every_block(put):
    put_draw(put, lambda kind, number, core, index: (kind, number, core, index & ~3))


@flaw_mutant("flawed")
def a_core_s_mismatch_drawn_for_each_neuron(put):
    put_entries(put, "mismatch", scope=lambda entry: "neuron" if entry.of != "weight" else entry.scope)


@flaw_mutant("brainscales2", "flawed")
def a_row_s_mismatch_drawn_for_each_synapse(put):
    put_entries(put, "mismatch", scope=lambda entry: "synapse" if entry.scope == "row" else entry.scope)


@flaw_mutant("brainscales2", "flawed")
def both_signs_of_a_row_are_one_driver(put):
    right = Flaws.weight

    def weight(self, value, core, axon, index):
        return math.copysign(right(self, abs(value), core, axon, index), value)

    put(Flaws, "weight", weight)


@flaw_mutant("pcm_crossbar")
def both_devices_of_a_pair_draw_alike(put):
    pairs = ("programming_error", "drift")
    put_draw(put, lambda kind, number, core, i: (kind, number, core, i & ~1 if kind in pairs else i))


# Signs, units and shapes.


@flaw_mutant(*ALL)
def normal_numbers_of_the_other_sign(put):
    put_normals(put, lambda z: -z)


@flaw_mutant(*ALL)
def a_tenth_more_spread(put):
    put_normals(put, lambda z: 1.1 * z)


@flaw_mutant("flawed", "brainscales2")
def absolute_spreads_taken_as_relative(put):
    put_entries(put, "mismatch", cv=lambda entry: entry.std if entry.cv is None else entry.cv)


@flaw_mutant("flawed", "brainscales2")
def relative_spreads_taken_as_absolute(put):
    def linear(value, entry, z):
        if entry.distribution == "lognormal":
            return right(value, entry, z)
        return right(value, altered(entry, cv=None, std=entry.std or entry.cv), z)

    right = twin_imperfections.spread
    put(twin_imperfections, "spread", linear)


@flaw_mutant("flawed")
def values_may_change_their_sign(put):
    put_entries(
        put, "mismatch",
        distribution=lambda e: "normal" if e.distribution == "normal_cut0" else e.distribution,
    )  # fmt: skip


@flaw_mutant("flawed", "brainscales2")
def lognormal_taken_as_normal(put):
    put_entries(
        put, "mismatch",
        distribution=lambda e: "normal" if e.distribution == "lognormal" else e.distribution,
    )  # fmt: skip


@flaw_mutant("flawed", "brainscales2")
def lognormal_whose_median_is_right_and_mean_is_not(put):
    def spread(value, entry, z):
        if entry.distribution != "lognormal":
            return right(value, entry, z)
        variance = twin_elementary.log(1.0 + entry.cv * entry.cv)
        return value * twin_elementary.exp(math.sqrt(variance) * z)

    right = twin_imperfections.spread
    put(twin_imperfections, "spread", spread)


@flaw_mutant("flawed", "brainscales2")
def lognormal_of_the_coefficient_itself(put):
    def spread(value, entry, z):
        if entry.distribution != "lognormal":
            return right(value, entry, z)
        return value * twin_elementary.exp(entry.cv * z - entry.cv * entry.cv / 2.0)

    right = twin_imperfections.spread
    put(twin_imperfections, "spread", spread)


@flaw_mutant("flawed")
def only_the_first_mismatch_of_a_parameter(put):
    right = Flaws.of_kind

    def of_kind(self, *kinds):
        first = {
            getattr(entry, "of", entry.name): (number, entry) for number, entry in right(self, *kinds)[::-1]
        }
        return sorted(first.values(), key=lambda pair: pair[0])

    put(Flaws, "of_kind", of_kind)


@flaw_mutant("pcm_crossbar", "flawed")
def the_last_effect_on_a_weight_first(put):
    right = Flaws.of_kind
    put(Flaws, "of_kind", lambda self, *kinds: right(self, *kinds)[:: -1 if "stuck" in kinds else 1])


# Defects.


@flaw_mutant("flawed")
def dead_neurons_spike(put):
    put(Flaws, "dead", lambda self, core, local: False)


@flaw_mutant("flawed")
def live_neurons_are_silent(put):
    right = Flaws.dead
    put(Flaws, "dead", lambda self, core, local: not right(self, core, local))


@flaw_mutant("flawed")
def dead_by_a_word_of_31_bits(put):
    put_entries(put, "dead", fraction=lambda entry: entry.fraction / 2)


@flaw_mutant("flawed")
def synapses_stuck_at_nothing(put):
    put_entries(put, "stuck", at=0.0)


@flaw_mutant("flawed")
def no_synapse_is_stuck(put):
    put_entries(put, "stuck", fraction=0.0)


# Conductances.


@flaw_mutant("pcm_crossbar")
def one_device_a_weight(put):
    put(twin_imperfections, "conductances", lambda weight: (abs(weight), 0.0))


@flaw_mutant("pcm_crossbar")
def programming_polynomial_the_other_way_round(put):
    put_entries(put, "programming_error", polynomial=lambda entry: entry.polynomial[::-1])


@flaw_mutant("pcm_crossbar")
def conductances_below_0(put):
    def programmed(g, entry, z, age_s):
        x = g / entry.g_max
        return g + sum(c * x**k for k, c in enumerate(entry.polynomial)) * z

    put(twin_imperfections, "programmed", programmed)


def put_age(put, change):
    right = Flaws.__post_init__

    def start(self):
        right(self)
        self.age_s = change(self.age_s)

    put(Flaws, "__post_init__", start)


@flaw_mutant("pcm_crossbar")
def devices_do_not_age(put):
    put_age(put, lambda age: 0.0)


@flaw_mutant("pcm_crossbar")
def age_in_hours(put):
    put_age(put, lambda age: age / 3600.0)


@flaw_mutant("pcm_crossbar")
def age_counted_from_the_writing(put):
    put_age(put, lambda age: max(age - 20.0, 0.0))


@flaw_mutant("pcm_crossbar")
def drift_upwards(put):
    put_entries(put, "drift", **{name: (lambda entry, name=name: -getattr(entry, name)) for name in
                                 ("mean_log", "mean_at_1")}, mean_min=-0.1, mean_max=-0.049)  # fmt: skip


@flaw_mutant("pcm_crossbar")
def drift_exponents_not_bounded(put):
    put(twin_imperfections, "clamp", lambda value, low, high: value)


@flaw_mutant("pcm_crossbar")
def all_devices_drift_alike(put):
    put_entries(put, "drift", spread_min=0.0, spread_max=0.0)


@flaw_mutant("pcm_crossbar")
def drift_of_the_common_logarithm(put):
    put_entries(put, "drift", mean_log=lambda entry: entry.mean_log / math.log(10.0))
