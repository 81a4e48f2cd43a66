"""Wrong aliases, types of axon, resets: what the digital chips have beside the others."""

from mutant_hooks import altered, mutant, put_entry, put_operation
from spikeloom.reference.twin import executor as twin
from spikeloom.reference.twin import operations as twin_operations
from spikeloom.reference.twin.executor import _Chip


@mutant("xylo_a2")
def aliases_ignored(put):
    put_operation(put, "alias", lambda entry, neuron: None)


@mutant("xylo_a2")
def aliases_without_their_limit(put):
    put_entry(put, "alias", max=10**6)


@mutant("xylo_a2")
def alias_replaces_the_count(put):
    def alias(entry, neuron):
        offset = neuron.read(entry.offset)
        if offset:
            neuron.peers[neuron.number + offset].spikes = min(entry.max, neuron.spikes)

    put_operation(put, "alias", alias)


@mutant("xylo_a2")
def aliases_after_all_have_fired(put):
    put(twin_operations, "stages", lambda entries: [[entry] for entry in entries])


@mutant("xylo_a2")
def neurons_take_their_turn_downward(put):
    right = twin.run_operations
    put(twin, "run_operations", lambda profile, neurons: right(profile, neurons[::-1]))


@mutant("xylo_a2")
def a_given_count_is_forgotten(put):
    right = twin_operations.multi_fire

    def fire(entry, neuron):
        neuron.spikes = 0
        right(entry, neuron)

    put_operation(put, "multi_fire", fire)


@mutant("xylo_a2")
def negative_threshold_saturates(put):
    put_entry(put, "multi_fire", reset="subtract")


@mutant("xylo_a2")
def order_of_groups_swapped(put):
    put(_Chip, "group_of", lambda self, axon: "recurrent" if axon in self.input_axons else "input")


@mutant("ranc", "truenorth")
def type_of_the_axon_ignored(put):
    right = twin.load_types
    put(twin, "load_types", lambda program: [0] * len(right(program)))


@mutant("ranc")
def bits_ignored(put):
    right = twin.load_weights
    put(twin, "load_weights", lambda program: [1] * len(right(program)))


@mutant("ranc")
def every_neuron_has_the_weights_of_the_first(put):
    right = _Chip.worth
    put(_Chip, "worth", lambda self, place, neuron: right(self, place, self.neurons[0]))


@mutant("truenorth")
def reset_without_a_change_ignored(put):
    right = twin_operations.fire2

    def fire2(entry, neuron):
        mode = min(int(neuron.read(entry.mode)), 1)
        right(altered(entry, mode=mode), neuron)

    put_operation(put, "fire2", fire2)


@mutant("truenorth")
def saturation_below_ignored(put):
    put_entry(put, "fire2", saturate=0)


@mutant("truenorth")
def saturation_below_always(put):
    put_entry(put, "fire2", saturate=1)
