"""What mutants of the twin are made with: a table of them, and hooks into the twin.

A mutant is a function that breaks one rule of the contract through `put(owner, name, value)`, pytest's
`monkeypatch.setattr`; it names profiles whose programs show the difference.
"""

from spikeloom.reference.twin import executor as twin
from spikeloom.reference.twin import operations as twin_operations


def table():
    """A table of mutants, and the decorator that puts one into it with the profiles on (some of) which it shows."""
    mutants = {}

    def mutant(*profiles):
        def register(function):
            mutants[function.__name__] = (function, profiles)
            return function

        return register

    return mutants, mutant


MUTANTS, mutant = table()


def altered(entry, **fields):
    """An entry of a profile's list with some fields replaced, whatever they hold."""
    return entry.model_copy(update=fields)


def put_operation(put, op, function):
    """Replace one operation of the twin."""
    operations = {**twin_operations.OPERATIONS, op: function}
    put(twin_operations, "OPERATIONS", operations)


def put_fields(put, op, fields):
    """Let an operation see other fields than the profile gives; `fields(entry, neuron)` says which."""
    right = twin_operations.OPERATIONS[op]
    put_operation(put, op, lambda entry, neuron: right(altered(entry, **fields(entry, neuron)), neuron))


def put_entry(put, op, **fields):
    """The same, whatever the entry holds."""
    put_fields(put, op, lambda entry, neuron: fields)


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

    def start(entry, neuron):
        return {counter: change(int(neuron.read(operand))) for counter, operand in entry.start.items()}

    put_fields(put, "fire", lambda entry, neuron: {"start": start(entry, neuron)})
