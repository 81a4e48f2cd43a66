"""Does the circuit take the clocks of `hw_profiles/open_core.md`, in its example and where buffers are full?"""

import shutil

import numpy as np
import pytest
import scipy.sparse as sp
import spikeloom as sl
from circuit_cases import build
from circuit_clocks import UPDATE, expected_phases, observed_phases
from spikeloom.exporters.verilog.export import run_files, write_files
from spikeloom.exporters.verilog.layout import lay_out
from spikeloom.exporters.verilog.sizes import sizes_of
from spikeloom.reference.compare import compare
from spikeloom.reference.twin.executor import run_twin

pytestmark = pytest.mark.skipif(
    shutil.which("iverilog") is None, reason="no Icarus Verilog; on Debian: apt install iverilog"
)


def run_circuit(program, spikes, folder):
    """The sizes of the profile's circuit, and what it does with one sample."""
    sizes = sizes_of(program.profile, [lay_out(program, program.profile.cycles.lanes)])
    circuit = build(folder, program.profile, sizes, "iverilog")
    write_files(folder, run_files(program, sizes, spikes))
    return sizes, circuit.run(folder / "run", program.run_ticks)


def test_the_example_of_the_page_takes_19_clocks(tmp_path):
    small = {"limits.neurons_per_core": 4, "limits.in_axons_per_core": 2, "cycles.lanes": 2}
    network = sl.SpikingNetwork(sl.load_profile("open_core", override=small))
    neurons = network.population("n", 4, vth=100, bias=[0, 0, 0, 60])  # the last one fires in tick 1
    rows = np.zeros((4, 4), dtype=int)
    rows[2:] = -1  # two axons, and on each a run of two words
    network.connect(neurons, neurons, sp.csr_array(rows))
    network.output(neurons)
    program = sl.place(network, ticks=3)
    _, log = run_circuit(program, np.zeros((3, 0), np.uint8), tmp_path)
    assert [(spike.neuron, spike.times) for spike in log.pushed] == [(3, 1)]
    assert log.clocks_per_tick[2] == 19
    assert log.clocks_per_tick[0] == 1 + (2 + 1) + 8 + 3


def test_full_buffers_hold_the_sender_and_change_no_spike(tmp_path):
    """Eight neurons send to two busy cores in every tick, through buffers of two."""
    small = {
        "limits.neurons_per_core": 8, "limits.in_axons_per_core": 32, "cycles.output_fifo": 2,
        "cycles.receive_fifo": 2, "noc.buffer": 2, "noc.width": 2, "noc.height": 2,
        "limits.cores": 4,
    }  # fmt: skip
    network = sl.SpikingNetwork(sl.load_profile("open_core", override=small))
    lines, many = network.input("in", 8), network.population("many", 8, vth=10, bias=50)
    far = network.population("far", 16, vth=3000)
    network.connect(lines, far, np.full((8, 16), 20))
    network.connect(many, far, np.arange(128).reshape(8, 16) - 50)
    network.connect(far, many, np.full((16, 8), 3))
    network.output(far)
    program = sl.place(network, ticks=5)
    spikes = np.full((5, 8), 15, dtype=np.uint8)
    sizes, log = run_circuit(program, spikes, tmp_path)
    check = compare(run_twin(program, spikes), log.trace(program), program)
    assert check.equal, check.first_divergence
    values = log.signals().values
    assert values["output_fifo"].max() == values["receive_fifo"].max() == 2
    assert max(values[f"router_{side}"].max() for side in "LEWNS") == 2
    assert observed_phases(log)[0, 0, UPDATE] > sizes.neurons + len(program.profile.operation) + 1
    for place, clocks in expected_phases(program, sizes, spikes, log).items():
        assert observed_phases(log)[place] == clocks, place
