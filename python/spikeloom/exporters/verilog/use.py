"""Which registers and parameters a neuron must carry from stage to stage of the pipeline."""

from __future__ import annotations

from spikeloom.profile.operations import DecayShift, Operation, Sum
from spikeloom.profile.schema import Profile


class Use:
    """`before[k]` are the names that operation k, or one behind it, or the write stage needs.

    A value that is written before it is read again need not be carried, nor a parameter after its last use.
    """

    def __init__(self, profile: Profile) -> None:
        needed = {
            name for name in profile.element_names() if profile.regs[name.split("[")[0]].clear == "never"
        }
        self.before = [frozenset(needed)]
        for operation in reversed(profile.operation):
            needed = (needed - surely_written(operation)) | _touched(profile, operation)
            self.before.insert(0, frozenset(needed))


def surely_written(operation: Operation) -> set[str]:
    """What an operation writes on every neuron, whatever was there before."""
    overwrites = isinstance(operation, Sum | DecayShift) and operation.unless is None
    return set(operation.writes()) if overwrites else set()


def _touched(profile: Profile, operation: Operation) -> set[str]:
    """What an operation reads, and what it writes on some neurons only."""
    found = set(operation.writes()) - surely_written(operation)
    for operand in operation.reads():
        if isinstance(operand, str) and operand.endswith("[*]"):
            found |= {name for name in profile.element_names() if name.split("[")[0] == operand[:-3]}
        elif isinstance(operand, str):
            found.add(operand)
    return found
