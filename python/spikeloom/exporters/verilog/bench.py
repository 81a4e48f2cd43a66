"""The test bench of a circuit: the fixed text, and the lines for the memories that this profile has."""

from __future__ import annotations

from spikeloom.exporters.verilog.fields import accumulator_fields, parameter_columns, state_fields
from spikeloom.exporters.verilog.sizes import Sizes
from spikeloom.profile.schema import Profile

SOMA = "chip.place[c].core.soma"


def bench_module(profile: Profile, sizes: Sizes, text: str) -> str:
    """The text of `bench.v`, its marked places filled in."""
    receptors = range(len(accumulator_fields(profile)))
    memories = {"state": state_fields(profile)}
    memories |= {f"param{stage}": column for stage, column in parameter_columns(profile).items()}
    dump = f'$fwrite(log, "s %0d %0d %0d %h\\n", tick, c, j, {SOMA}.state.words[j]);'
    parts = {
        "load neurons": [_load("name", f"{kind}.hex", f"{SOMA}.{kind}.words") for kind in memories if memories[kind]],
        "load accumulators": [_load_lane(k) for k in receptors],
        "dump neurons": [dump] if memories["state"] else [],
        "dump accumulators": [_dump_lane(k, sizes.lanes) for k in receptors],
    }  # fmt: skip
    lines = []
    for line in text.splitlines():
        place, found, name = line.partition("//: ")
        lines += [place + row for part in parts[name] for row in part.split("\n")] if found else [line]
    return "\n".join(lines) + "\n"


def _load(name: str, file: str, words: str) -> str:
    """Read one image."""
    return f'$sformat({name}, "core%0d/{file}", c);\n$readmemh({name}, {words});'


def _load_lane(receptor: int) -> str:
    """Read the image of one lane of a receptor's accumulators."""
    words = f"{SOMA}.acc{receptor}.lanes[lane].registers.words"
    file = f'"core%0d/accumulator{receptor}_%0d.hex", c, lane'
    return f"$sformat(lane_name, {file});\n$readmemh(lane_name, {words});"


def _dump_lane(receptor: int, lanes: int) -> str:
    """Write down the accumulator of neuron k."""
    word = f"{SOMA}.acc{receptor}.lanes[lane].registers.words[k / {lanes}]"
    return f'$fwrite(log, "a %0d %0d {receptor} %0d %h\\n", tick, c, k, {word});'
