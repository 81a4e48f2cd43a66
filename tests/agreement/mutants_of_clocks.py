"""Wrong controllers: decisions, durations, handshakes."""

from spikeloom.reference.clocks.serial_event import SerialEvents

CLOCK_MUTANTS = {}


def clock_mutant(function):
    CLOCK_MUTANTS[function.__name__] = function
    return function


@clock_mutant
def request_before_a_full_fifo(put):
    def decide(self):
        if self.request_sync[1]:
            self.enter(self.requests[0].state)
        elif self.fifo:
            self.enter("POP" if self.fifo[0].kind == "neuron" else "POP_VIRTUAL")

    put(SerialEvents, "decide", decide)


@clock_mutant
def fifo_before_a_request(put):
    def decide(self):
        if self.fifo:
            self.enter("POP" if self.fifo[0].kind == "neuron" else "POP_VIRTUAL")
        elif self.request_sync[1]:
            self.enter(self.requests[0].state)

    put(SerialEvents, "decide", decide)


@clock_mutant
def one_flip_flop_for_the_request(put):
    right = SerialEvents.take_over

    def take_over(self):
        right(self)
        self.request_sync[1] = self.request_sync[0]

    put(SerialEvents, "take_over", take_over)


@clock_mutant
def one_flip_flop_for_the_answer(put):
    right = SerialEvents.take_over

    def take_over(self):
        right(self)
        self.answer_sync[1] = self.answer_sync[0]

    put(SerialEvents, "take_over", take_over)


@clock_mutant
def counters_run_on_while_the_output_is_busy(put):
    right = SerialEvents.clock

    def clock(self):
        busy, self.busy = self.busy, self.busy and self.state == "WAIT"
        right(self)
        self.busy = self.busy or busy

    put(SerialEvents, "clock", clock)


@clock_mutant
def no_tail(put):
    right = SerialEvents.visit_all

    def visit_all(self):
        right(self)
        if self.state == "TAIL":
            self.leave_fifo()

    put(SerialEvents, "visit_all", visit_all)


@clock_mutant
def place_is_free_when_an_event_begins(put):
    right = SerialEvents.push

    def push(self, event):
        held = self.state in ("POP", "POP_VIRTUAL")
        if held:
            self.fifo.append(event)
        else:
            right(self, event)

    put(SerialEvents, "push", push)


@clock_mutant
def neurons_are_written_in_their_first_clock(put):
    right = SerialEvents.visit_all

    def visit_all(self):
        self.place ^= 1
        right(self)
        self.place = (self.place - 1 ^ 1) + 1 if self.state in ("LEAK", "POP") else self.place

    put(SerialEvents, "visit_all", visit_all)


@clock_mutant
def request_is_not_waited_for(put):
    right = SerialEvents.act

    def act(self):
        if self.state == "REQUEST_DOWN" and self.line is None:
            self.enter("WAIT")
        else:
            right(self)

    put(SerialEvents, "act", act)


@clock_mutant
def inputs_all_at_once(put):
    right = SerialEvents.ask

    def ask(self, tick, lines):
        before = len(self.requests)
        right(self, tick, lines)
        for request in list(self.requests)[before:]:
            request.clock = self.now

    put(SerialEvents, "ask", ask)
