"""Wrong ticks: delivery, merging, latency, delay, accumulators, order."""

from mutant_hooks import mutant, put_order
from spikeloom.reference.twin import executor as twin
from spikeloom.reference.twin.executor import _Chip


@mutant("loihi1", "loihi1:lava", "subtract_reset", "multi_spike")
def operations_reversed(put):
    put_order(put, lambda entries: entries[::-1])


@mutant("two_thresholds", "loihi1")
def merge_swapped(put):
    right = _Chip.merge

    def merge(self, n, axon):
        return n if self.profile.delivery.merge == "or" else min(right(self, n, axon), 1)

    put(_Chip, "merge", merge)


@mutant("multi_spike")
def spikes_max_ignored(put):
    put(_Chip, "merge", lambda self, n, axon: n)


@mutant("multi_spike")
def spikes_max_less_one(put):
    put(_Chip, "merge", lambda self, n, axon: min(n, self.profile.delivery.spikes_max.input - 1))


@mutant("loihi1", "subtract_reset", "ideal")
def clear_omitted(put):
    put(_Chip, "clear_accumulators", lambda self: None)


@mutant("subtract_reset", "multi_spike", "two_thresholds")
def clear_of_everything_delivered_into(put):
    def clear(self):
        for neuron in self.neurons:
            for element in self.profile.delivery.into:
                neuron.registers[element] = 0

    put(_Chip, "clear_accumulators", clear)


@mutant("loihi1")
def probe_before_the_clear(put):
    clear, right = _Chip.clear_accumulators, _Chip.run_tick

    def run(self, tick, lines):
        clear(self)
        right(self, tick, lines)

    put(_Chip, "clear_accumulators", lambda self: None)
    put(_Chip, "run_tick", run)


@mutant("loihi1", "two_thresholds")
def latency_one_more(put):
    put(twin, "arrival", lambda tick, latency: tick + latency + 1)


@mutant("two_thresholds")
def latency_one_less(put):
    put(twin, "arrival", lambda tick, latency: tick + latency - 1)


@mutant("two_thresholds")
def latency_always_one(put):
    put(twin, "arrival", lambda tick, latency: tick + 1)


@mutant("loihi1", "two_thresholds", "ideal")
def delay_one_more(put):
    put(twin, "due_tick", lambda tick, delay: tick + delay + 1)


@mutant("loihi1")
def delay_zero_counts_as_one(put):
    put(twin, "due_tick", lambda tick, delay: tick + max(delay, 1))


@mutant("loihi1")
def delay_ignored(put):
    put(twin, "due_tick", lambda tick, delay: tick)


@mutant("loihi1")
def input_takes_the_latency_too(put):
    right = _Chip.run_tick

    def run(self, tick, lines):
        held, self.__dict__["held"] = self.__dict__.get("held", []), lines
        right(self, tick, held)

    put(_Chip, "run_tick", run)


@mutant("loihi1")
def count_of_a_spike_ignored(put):
    right = _Chip.send
    put(_Chip, "send", lambda self, axons, n, tick: right(self, axons, min(n, 1), tick))


@mutant("loihi1")
def later_spike_on_an_axon_replaces_the_earlier(put):
    def send(self, axons, n, tick):
        for axon in axons if n else []:
            for delay in self.rows[axon]:
                self.due.setdefault(twin.due_tick(tick, delay), {})[axon, delay] = n

    put(_Chip, "send", send)


@mutant("ideal")
def recurrent_before_input(put):
    put(_Chip, "group_of", lambda self, axon: "recurrent" if axon in self.input_axons else "input")


@mutant("ideal")
def axons_descending(put):
    right = _Chip.deliver
    put(_Chip, "deliver", lambda self, tick: right(self, tick)[::-1])


@mutant("ideal")
def n_spikes_are_one_product(put):
    def add_up(self, spikes):
        sums = {element: {} for element in self.profile.delivery.into}
        for axon, delay, n in spikes:
            for run in self.rows[axon][delay]:
                for target, weight in zip(run.targets, self.weights_of(axon, run), strict=True):
                    number = self.axon_target[axon] + target
                    sums[run.element][number] = sums[run.element].get(number, 0) + n * weight
        return sums

    put(_Chip, "add_up", add_up)


@mutant("subtract_reset", "multi_spike")
def rule_after_every_addition(put):
    def add_up(self, spikes):
        for axon, delay, n in spikes:
            for run in self.rows[axon][delay]:
                for target, weight in zip(run.targets, self.weights_of(axon, run), strict=True):
                    neuron = self.neurons[self.axon_target[axon] + target]
                    for _ in range(n):
                        neuron.write(run.element, neuron.read(run.element) + weight)
        return {element: {} for element in self.profile.delivery.into}

    put(_Chip, "add_up", add_up)


@mutant("each_addition")
def one_write_of_the_sum(put):
    put(_Chip, "synapse_stage", _Chip.add_up)


@mutant("each_addition")
def each_addition_input_first(put):
    put(_Chip, "group_of", lambda self, axon: "recurrent" if axon in self.input_axons else "input")


@mutant("each_addition")
def each_addition_axons_descending(put):
    right = _Chip.deliver

    def deliver(self, tick):
        return sorted(right(self, tick), key=lambda spike: (self.group_of(spike[0]) == "input", -spike[0]))

    put(_Chip, "deliver", deliver)


@mutant("each_addition")
def spikes_max_of_the_other_group(put):
    def merge(self, n, axon):
        most = self.profile.delivery.spikes_max
        return min(n, most.input if self.group_of(axon) == "recurrent" else most.recurrent)

    put(_Chip, "merge", merge)


@mutant("subtract_reset", "multi_spike")
def receptors_swapped(put):
    right = _Chip.add_up

    def add_up(self, spikes):
        sums = right(self, spikes)
        return dict(zip(sums, list(sums.values())[::-1], strict=True))

    put(_Chip, "add_up", add_up)


@mutant("loihi1")
def shared_template_reads_the_first_row(put):
    put(_Chip, "weights_of", lambda self, axon, run: self.weights[run.weight : run.weight + len(run.targets)])


@mutant("loihi1")
def runs_start_at_the_first_weight(put):
    def weights_of(self, axon, run):
        return self.weights[self.axon_weight[axon] :][: len(run.targets)]

    put(_Chip, "weights_of", weights_of)


@mutant("loihi1")
def index_list_read_as_a_stretch(put):
    right = twin._load_run

    def load(program, run):
        found = right(program, run)
        first = int(program.arrays.run_target[run])
        stretch = list(range(first, first + len(found.targets)))
        return twin._Run(found.element, stretch, found.weight, found.receptor)

    put(twin, "_load_run", load)


@mutant("subtract_reset")
def first_register_values_ignored(put):
    put(twin, "_initial", lambda program, name, number: 0)
