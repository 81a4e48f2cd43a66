"""Cells and clock of a small open core with Loihi's operation list, on an iCE40 HX8K.

One core of 64 neurons and 64 axons, two weights of 8 bits a word. The voltage has 24 bits and saturates, which is the
same arithmetic as Loihi's own: its list clips the voltage to 24 bits right after the sum that may leave them.

    python python/examples/circuit_cost.py circuit && make -C circuit ice40

needs Debian's `yosys` and `nextpnr-ice40`.
"""

import sys
from pathlib import Path

import spikeloom as sl
from spikeloom.exporters.verilog.export import circuit_files, write_files
from spikeloom.exporters.verilog.sizes import Sizes

CHANGED = {
    "delivery.spikes_max.input": 15,
    "delivery.spikes_max.recurrent": 15,
    "time.delay_max": 14,
    "weights.formula": "int",
    "weights.unit_shift": 0,
    "weights.clip": None,
    "weights.shared": [],
    "weights.sign_scope": "synapse",
    "weights.mode": [{"name": "signed", "min": -128, "max": 127}],
    "limits.shared_table": [],
    "regs.v.bits": 24,
    "regs.v.overflow": "saturate",
    **{f"params.{name}.scope": "neuron" for name in ("decay_u", "decay_v", "refractory", "vth")},
}
SIZES = Sizes(
    columns=1, rows=1, neurons=64, axons=64, lanes=2, slots=16, input_max=15, recurrent_max=15,
    runs=64, runs_per_axon=4, run_words=32, synapse_words=2048, routes=64, fan=15,
    router_buffer=2, output_fifo=4, receive_fifo=4,
)  # fmt: skip

if __name__ == "__main__":
    profile = sl.load_profile("loihi1", override=CHANGED)
    paths = write_files(Path(sys.argv[1]), circuit_files(profile, SIZES))
    print(f"wrote {len(paths)} files; now: make -C {sys.argv[1]} ice40")
