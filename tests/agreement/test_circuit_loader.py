"""Does the chip's own loader, fed byte by byte with the memory images, give the chip that the emulator shows?"""

import shutil
import subprocess

import numpy as np
import pytest
import spikeloom as sl
from spikeloom.emulation.chip import Chip
from spikeloom.exporters.verilog.export import MODULES, circuit_files, run_files, write_files
from spikeloom.exporters.verilog.fields import accumulator_fields, parameter_columns, width
from spikeloom.exporters.verilog.layout import lay_out
from spikeloom.exporters.verilog.sizes import memory_shapes, sizes_of, widths

pytestmark = pytest.mark.skipif(
    shutil.which("iverilog") is None, reason="no Icarus Verilog; on Debian: apt install iverilog"
)
SMALL = {"limits.neurons_per_core": 8, "limits.in_axons_per_core": 16, "limits.cores": 2, "cycles.lanes": 2,
         "noc.width": 2, "noc.height": 1}  # fmt: skip
TICKS = 6

# Shifts in what load.txt says, a byte a line and -1 for a write; then takes reset away and tells every spike.
BENCH = """
`include "sizes.vh"
module loader;
    reg clk, reset, shift, write;
    reg [7:0] data;
    integer file, value, clock, ticks, c;
    wire go;
    wire [`CORES-1:0] take, spike;
    wire [`CORES*`NEURON_BITS-1:0] neuron;
    wire [`CORES*`SPIKE_BITS-1:0] count;
    chip chip (
        .clk(clk), .reset(reset), .load_shift(shift), .load_byte(data), .load_write(write),
        .input_pending({`CORES{1'b0}}), .input_axon({(`CORES*`AXON_BITS){1'b0}}),
        .input_count({(`CORES*`SPIKE_BITS){1'b0}}), .input_take(take),
        .go(go), .spike(spike), .spike_neuron(neuron), .spike_count(count)
    );
    initial begin
        clk = 0; reset = 1; shift = 0; write = 0; clock = 0; ticks = 0;
        file = $fopen("load.txt", "r");
        while ($fscanf(file, "%d\\n", value) == 1) begin
            shift = value >= 0; write = value < 0; data = value[7:0];
            #1 clk = 1; #1 clk = 0;
        end
        shift = 0; write = 0;
        #1 clk = 1; #1 clk = 0;
        reset = 0;
        while (ticks < TICKS) begin
            #1;
            for (c = 0; c < `CORES; c = c + 1)
                if (spike[c]) $display("%0d %0d %0d", clock, c, neuron[c*`NEURON_BITS +: `NEURON_BITS]);
            if (go) ticks = ticks + 1;
            clock = clock + 1;
            clk = 1; #1 clk = 0;
        end
        $display("end %0d", clock);
    end
endmodule
"""


def recurrent_program():
    """Two cores of eight neurons that start by their biases and go on through the mesh."""
    rng = np.random.default_rng(4)
    network = sl.SpikingNetwork(sl.load_profile("open_core", override=SMALL))
    first = network.population("a", 8, vth=40, leak=rng.integers(0, 40, 8), bias=rng.integers(0, 30, 8))
    second = network.population("b", 8, vth=60, bias=rng.integers(0, 20, 8))
    network.connect(first, second, rng.integers(-10, 40, (8, 8)))
    network.connect(second, first, rng.integers(-20, 30, (8, 8)), delays=1)
    network.output(second)
    return sl.place(network, ticks=TICKS)


def load_words(program, sizes):
    """(core, memory, address, data) of every word, from the images."""
    profile, files = program.profile, run_files(program, sizes, np.zeros((TICKS, 0), np.uint8))
    images = {
        path[4:-4]: [int(word, 16) for word in text.split()] for path, text in files.items() if "hex" in path
    }
    word_bits = widths(profile, sizes)["WORD_BITS"]
    for core in range(sizes.cores):
        for memory, name in enumerate(memory_shapes(widths(profile, sizes), profile)):
            if name == "accumulator":
                for receptor, field in enumerate(accumulator_fields(profile)):
                    lanes = [
                        images[f"core{core}/accumulator{receptor}_{lane}"] for lane in range(sizes.lanes)
                    ]
                    for word, values in enumerate(zip(*lanes, strict=True)):
                        yield (
                            core,
                            memory,
                            receptor << word_bits | word,
                            beside(values, [field.bits] * sizes.lanes),
                        )
            elif name == "param":
                columns = parameter_columns(profile)
                parts = [images[f"core{core}/param{stage}"] for stage in columns]
                for neuron, values in enumerate(zip(*parts, strict=True)):
                    yield core, memory, neuron, beside(values, [width(column) for column in columns.values()])
            else:
                yield from ((core, memory, k, word) for k, word in enumerate(images[f"core{core}/{name}"]))


def beside(values, bits):
    """Values in one word, the first in the lowest bits."""
    return sum(value << sum(bits[:k]) for k, value in enumerate(values))


def load_bytes(program, sizes):
    """What the loader is fed: the bytes of each word, the highest first, and -1 to write it."""
    found = widths(program.profile, sizes)
    address_bytes, data_bytes = (-(-found[name] // 8) for name in ("LOAD_ADDRESS_BITS", "LOAD_BITS"))
    for core, memory, address, data in load_words(program, sizes):
        yield from (
            core,
            memory,
            *address.to_bytes(address_bytes, "big"),
            *data.to_bytes(data_bytes, "big"),
            -1,
        )


def test_the_loader_fills_every_memory(tmp_path):
    program = recurrent_program()
    sizes = sizes_of(program.profile, [lay_out(program, 2)])
    files = circuit_files(program.profile, sizes) | {"loader.v": BENCH.replace("TICKS", str(TICKS))}
    write_files(tmp_path, files | {"load.txt": "".join(f"{byte}\n" for byte in load_bytes(program, sizes))})
    modules = [*(f"{name}.v" for name in MODULES), "soma.v", "loader.v"]
    subprocess.run(["iverilog", "-g2001", "-o", "loader", "-s", "loader", *modules], cwd=tmp_path, check=True)
    done = subprocess.run(
        ["vvp", "-n", "loader"], cwd=tmp_path, check=True, capture_output=True, text=True, timeout=60
    )
    *lines, end = done.stdout.splitlines()
    expected, clocks = spikes_of_the_emulator(program)
    assert [tuple(map(int, line.split())) for line in lines] == expected and len(expected) > 10
    assert {core for _, core, _ in expected} == {0, 1}
    assert end == f"end {clocks}"


def spikes_of_the_emulator(program):
    """(clock, core, neuron) of every spike, and the clocks of the run."""
    chip, clock, found = Chip(program, timing="cycle"), 0, []
    while chip.ticks < TICKS:
        state = chip.clock()
        found += [(clock, core, neuron) for core, neuron, _ in state.spikes]
        clock += 1
    return found, clock
