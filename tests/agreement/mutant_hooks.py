"""What mutants of the twin are made with: a table of them, and hooks into the twin.

A mutant is a function that breaks one rule of the contract through `put(owner, name, value)`, pytest's
`monkeypatch.setattr`; it names profiles whose programs show the difference.
"""

from spikeloom.reference import twin, twin_operations

MUTANTS = {}


def mutant(*profiles):
    """Register a mutant that shows on (some of) these profiles."""

    def register(function):
        MUTANTS[function.__name__] = (function, profiles)
        return function

    return register


class Altered:
    """An entry of the operation list with some fields replaced."""

    def __init__(self, entry, **fields):
        self.__dict__.update({"_entry": entry, **fields})

    def __getattr__(self, name):
        return getattr(self._entry, name)


def put_operation(put, op, function):
    """Replace one operation of the twin."""
    operations = {**twin_operations.OPERATIONS, op: function}
    put(twin_operations, "OPERATIONS", operations)


def put_entry(put, op, **fields):
    """Let an operation see other fields than the profile gives."""
    right = twin_operations.OPERATIONS[op]
    put_operation(put, op, lambda entry, neuron: right(Altered(entry, **fields), neuron))


def put_order(put, order):
    """Run the operation list in another order; `order` maps the list to a list."""

    def run(profile, neurons):
        for neuron in neurons:
            neuron.spikes = 0
        for stage in twin_operations.stages(order(list(profile.operation))):
            for neuron in neurons:
                for entry in stage:
                    if entry.unless is None or neuron.read(entry.unless) == 0:
                        twin_operations.OPERATIONS[entry.op](entry, neuron)

    put(twin, "run_operations", run)


def put_rounding(put, mode, instead):
    right = twin_operations.rounded

    def rounded(product, shift, asked):
        return right(product, shift, instead if asked == mode else asked)

    put(twin_operations, "rounded", rounded)


def put_start(put, change):
    """Counters that start elsewhere."""
    right = twin_operations.fire

    def fire(entry, neuron):
        start = {counter: change(int(neuron.read(operand))) for counter, operand in entry.start.items()}
        right(Altered(entry, start=start), neuron)

    put_operation(put, "fire", fire)
