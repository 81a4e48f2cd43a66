"""Runs networks on brian2-loihi. Started by the tests in a process of its own, because that package changes
Brian2's global clock:

    python oracle_brian2_loihi.py NETWORK.npz TRACE.npz [NETWORK.npz TRACE.npz ...]

The network has layers of equal neurons: "layers" holds a row (size, vth, decay_u, decay_v, refractory) of
each, and "links" a row (source layer or -1 for the input, target layer, delay, w_exp, sign mode) of each
projection, whose codes are in "codes0", "codes1", ...
"""

import sys

import numpy as np
from brian2 import prefs
from brian2_loihi import (
    LoihiNetwork,
    LoihiNeuronGroup,
    LoihiSpikeGeneratorGroup,
    LoihiSpikeMonitor,
    LoihiStateMonitor,
    LoihiSynapses,
)


def main(network_path, trace_path):
    prefs.codegen.target = "numpy"
    net = np.load(network_path)
    ticks, lines = np.nonzero(net["spikes"])
    source = LoihiSpikeGeneratorGroup(net["spikes"].shape[1], lines, ticks)
    groups = [
        LoihiNeuronGroup(
            int(size), threshold_v_mant=int(vth), decay_I=int(decay_u) + 1, decay_v=int(decay_v),
            refractory=int(refractory),
        )
        for size, vth, decay_u, decay_v, refractory in net["layers"]
    ]  # fmt: skip
    synapses = []
    for number, (first, second, delay, exponent, sign_mode) in enumerate(net["links"]):
        codes = net[f"codes{number}"]
        link = LoihiSynapses(
            source if first < 0 else groups[first], groups[second], delay=int(delay), w_exp=int(exponent),
            sign_mode=int(sign_mode),
        )  # fmt: skip
        before, after = np.indices(codes.shape).reshape(2, -1)
        link.connect(i=before, j=after)
        link.w = codes.ravel()
        synapses.append(link)
    voltages = [LoihiStateMonitor(group, "v") for group in groups]
    # The current is complete after all synapses of the tick have added to it.
    currents = [LoihiStateMonitor(group, "I", order=10) for group in groups]
    fired = [LoihiSpikeMonitor(group) for group in groups]
    network = LoihiNetwork(source, groups, synapses, voltages, currents, fired)
    total = len(net["spikes"])
    network.run(total)
    found = {}
    for number, group in enumerate(groups):
        spikes = np.zeros((total, len(group)), dtype=np.int64)
        times = np.round(np.asarray(fired[number].t)).astype(int)  # this monitor counts in ticks
        np.add.at(spikes, (times, np.asarray(fired[number].i)), 1)
        found[f"spikes{number}"] = spikes
        found[f"v{number}"] = np.asarray(voltages[number].v).T
        found[f"u{number}"] = np.asarray(currents[number].I).T
    np.savez(trace_path, **found)


if __name__ == "__main__":
    for given, found in zip(sys.argv[1::2], sys.argv[2::2], strict=False):
        main(given, found)
