"""Wrong events: the FIFO, its order, what an event visits, when it is drained."""

from mutant_hooks import mutant
from spikeloom.reference.twin import event as twin_event
from spikeloom.reference.twin.event import EventTicks

BOTH = ("small_tinyodin", "small_odin")


@mutant(*BOTH)
def neurons_descending(put):
    right = EventTicks.visited
    put(EventTicks, "visited", lambda self, event: list(right(self, event))[::-1])


@mutant(*BOTH)
def popped_event_leaves_its_place_first(put):
    put(EventTicks, "pop", lambda self: self.handle(self.fifo.popleft()))


@mutant(*BOTH)
def oldest_event_dropped(put):
    def push(self, event):
        if len(self.fifo) == self.event.fifo_depth:
            self.fifo.popleft()
        self.fifo.append(event)

    put(EventTicks, "push", push)
    put(EventTicks, "pop", lambda self: self.handle(self.fifo.popleft()))


def _depth(put, change):
    def push(self, event):
        if len(self.fifo) < self.event.fifo_depth + change:
            self.fifo.append(event)

    put(EventTicks, "push", push)


@mutant(*BOTH)
def fifo_full_one_earlier(put):
    _depth(put, -1)


@mutant(*BOTH)
def fifo_full_one_later(put):
    _depth(put, 1)


@mutant(*BOTH)
def nothing_is_dropped(put):
    put(EventTicks, "push", lambda self, event: self.fifo.append(event))


@mutant(*BOTH)
def last_event_first(put):
    def pop(self):
        self.handle(self.fifo[-1])
        self.fifo.pop()

    put(EventTicks, "pop", pop)


@mutant(*BOTH)
def no_threshold_after_a_leak(put):
    right = twin_event.acts
    put(twin_event, "acts", lambda entry, on: right(entry, on) and not (on == "leak" and entry.op == "fire"))


@mutant(*BOTH)
def neurons_without_a_synapse_are_left_out(put):
    put(EventTicks, "visited", lambda self, event: [n for n in self.neurons if n.number in event.weights])


@mutant(*BOTH)
def virtual_event_visits_every_neuron(put):
    put(EventTicks, "visited", lambda self, event: self.neurons)


@mutant(*BOTH)
def threshold_after_the_last_write_only(put):
    def handle(self, event):
        visited = list(self.visited(event))
        for neuron in visited:
            neuron.write(event.element, neuron.read(event.element) + event.weights.get(neuron.number, 0))
        for neuron in visited[-1:]:
            self.operate(neuron, "synapse")

    put(EventTicks, "handle", handle)


@mutant(*BOTH)
def inputs_of_a_tick_are_pushed_before_the_drain(put):
    drain, leaks = EventTicks.drain, twin_event.leaks

    def drain_before_the_leak(event, tick):
        drain(one[0])
        return leaks(event, tick)

    def take_input(self, event):
        for single in [event] if event.kind == "neuron" else event.singles():
            self.push(single)

    right, one = EventTicks.run_tick, []

    def run_tick(self, tick, lines):
        one[:] = [self]
        right(self, tick, lines)

    put(EventTicks, "run_tick", run_tick)
    put(EventTicks, "take_input", take_input)
    put(twin_event, "leaks", drain_before_the_leak)


@mutant(*BOTH)
def lines_by_number(put):
    right = twin_event.lines_in_order
    put(twin_event, "lines_in_order", lambda chip: sorted(right(chip)))


@mutant(*BOTH)
def one_event_for_n_spikes(put):
    right = EventTicks.run_tick
    put(EventTicks, "run_tick", lambda self, tick, lines: right(self, tick, [min(n, 1) for n in lines]))


@mutant(*BOTH)
def leak_before_the_inputs(put):
    right = EventTicks.run_tick
    leaks = twin_event.leaks

    def run_tick(self, tick, lines):
        if leaks(self.event, tick):
            before = list(self.spikes)
            self.leak()
            self.drain()
            self.spikes = before
        right(self, tick, lines)

    put(twin_event, "leaks", lambda event, tick: False)
    put(EventTicks, "run_tick", run_tick)


@mutant(*BOTH)
def leak_one_tick_early(put):
    right = twin_event.leaks
    put(twin_event, "leaks", lambda event, tick: right(event, tick + 1))


@mutant(*BOTH)
def leak_every_tick(put):
    put(twin_event, "leaks", lambda event, tick: True)


@mutant(*BOTH)
def spikes_of_a_leak_are_not_sent(put):
    def leak(self):
        waiting = list(self.fifo)
        for neuron in self.neurons:
            self.operate(neuron, "leak")
        self.fifo.clear()
        self.fifo.extend(waiting)

    put(EventTicks, "leak", leak)


@mutant(*BOTH)
def leak_in_every_event(put):
    put(twin_event, "acts", lambda entry, on: True)


@mutant(*BOTH)
def drain_one_longer(put):
    def drain(self):
        for _ in range(self.event.max_events + 1):
            if self.fifo:
                self.pop()

    put(EventTicks, "drain", drain)


@mutant(*BOTH)
def stopped_drain_empties_the_fifo(put):
    right = EventTicks.drain

    def drain(self):
        right(self)
        self.fifo.clear()

    put(EventTicks, "drain", drain)


@mutant(*BOTH)
def own_spikes_are_not_sent(put):
    def operate(self, neuron, on):
        kept = list(self.fifo)
        right(self, neuron, on)
        self.fifo.clear()
        self.fifo.extend(kept)

    right = EventTicks.operate
    put(EventTicks, "operate", operate)


@mutant("small_odin")
def single_synapse_waits_in_the_fifo(put):
    def take_input(self, event):
        for single in [event] if event.kind == "neuron" else event.singles():
            self.push(single)
            self.drain()

    put(EventTicks, "take_input", take_input)


@mutant(*BOTH)
def virtual_event_does_not_wait(put):
    def take_input(self, event):
        for single in [event] if event.kind == "neuron" else event.singles():
            if single.kind == "neuron":
                self.push(single)
            else:
                self.handle(single)
            self.drain()

    put(EventTicks, "take_input", take_input)


@mutant(*BOTH)
def virtual_events_are_pushed_together(put):
    def take_input(self, event):
        for single in [event] if event.kind == "neuron" else event.singles():
            self.push(single)
        self.drain()

    put(EventTicks, "take_input", take_input)
