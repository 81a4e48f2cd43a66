"""Runs networks on the emulator of nengo-loihi. Started by the tests in an interpreter that has it:

    python oracle_nengo_loihi.py NETWORK.npz TRACE.npz [NETWORK.npz TRACE.npz ...]

Step s of nengo-loihi is tick s - 1 here; input spikes take one step to arrive, so tick 0 can have none.
"""

import sys

import numpy as np
from nengo_loihi.block import Axon, LoihiBlock, Synapse
from nengo_loihi.builder import Model
from nengo_loihi.builder.discretize import discretize_weights
from nengo_loihi.emulator.interface import EmulatorInterface
from nengo_loihi.inputs import SpikeInput


def block_of(net):
    """All neurons in one block, with integer parameters."""
    block = LoihiBlock(len(net["vth"]))
    compartment = block.compartment
    compartment.dtype = np.int32
    compartment.scale_u = compartment.scale_v = False
    for name in ("decay_u", "decay_v", "vth", "bias", "vmin", "vmax"):
        setattr(compartment, name, net[name].astype(np.int32))
    compartment.refract_delay = net["refractory"].astype(np.int32)
    return block


def synapse_of(net, n_axons):
    """One synapse object that holds every axon; weights are made from the codes by nengo-loihi."""
    synapse = Synapse(n_axons)
    synapse.format(fanout_type=1, weight_bits=7)
    weights, indices = [], []
    for axon in range(n_axons):
        here = net["synapse_axon"] == axon
        row = np.zeros(here.sum(), dtype=np.int32)
        exponents = net["synapse_exponent"][here]
        for exponent in np.unique(exponents):
            synapse.format(weight_exp=int(exponent))
            codes = net["synapse_code"][here][exponents == exponent].astype(np.float32)
            row[exponents == exponent] = discretize_weights(synapse.synapse_cfg, codes, check_result=False)
        weights.append(row[None])
        indices.append(net["synapse_target"][here][None].astype(np.int32))
    synapse.weights, synapse.indices = weights, indices
    return synapse


def connect(sender, sources, axons, n, synapse):
    """Axon objects from n sources; each maps a source to one axon at most."""
    order = np.argsort(sources, kind="stable")
    sources, axons = sources[order], axons[order]
    while len(sources):
        first = np.r_[True, sources[1:] != sources[:-1]]
        mapped = np.full(n, -1)
        mapped[sources[first]] = axons[first]
        axon = Axon(n)
        axon.target = synapse
        axon.set_compartment_axon_map(mapped)
        sender.add_axon(axon)
        sources, axons = sources[~first], axons[~first]


def main(network_path, trace_path):
    net = np.load(network_path)
    spikes = net["spikes"]
    block, lines, n_axons = block_of(net), SpikeInput(spikes.shape[1]), int(net["n_axons"])
    synapse = synapse_of(net, n_axons)
    block.add_synapse(synapse)
    connect(block, net["neuron_source"], net["neuron_axon"], block.n_neurons, synapse)
    connect(lines, net["line_source"], net["line_axon"], spikes.shape[1], synapse)
    for tick in range(1, len(spikes)):
        lines.add_spikes(tick, np.repeat(np.arange(spikes.shape[1]), spikes[tick]))
    model = Model()
    model.add_block(block)
    model.add_input(lines)
    emulator = EmulatorInterface(model, seed=0)
    state = emulator.compartment
    rows = []
    for _ in spikes:
        emulator.step()
        values = (state.current, state.voltage, state.ref_count, state.spiked)
        rows.append([np.array(value, dtype=np.int64) for value in values])
    u, v, ref, spiked = np.array(rows).transpose(1, 0, 2)
    np.savez(trace_path, u=u, v=v, ref=ref, spikes=spiked)


if __name__ == "__main__":
    for given, found in zip(sys.argv[1::2], sys.argv[2::2]):  # noqa: B905 - runs on older Pythons, too
        main(given, found)
