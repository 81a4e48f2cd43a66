"""Runs networks on xylosim. Started by the tests in an interpreter that has it:

python oracle_xylosim.py NETWORK.npz TRACE.npz [NETWORK.npz TRACE.npz ...]
"""

import sys

import numpy as np
from xylosim.v2 import XyloLayer, XyloSynapse


def synapses_of(weights, kept):
    """For each source the synapses of a (receptor, source, target) matrix; the layer keeps bare pointers."""
    found = [
        [
            XyloSynapse(int(target), receptor, int(weights[receptor, source, target]))
            for receptor in range(weights.shape[0])
            for target in range(weights.shape[2])
        ]
        for source in range(weights.shape[1])
    ]
    kept.append(found)
    return found


def layer_of(net, kept):
    return XyloLayer(
        synapses_in=synapses_of(net["w_in"], kept),
        synapses_rec=synapses_of(net["w_rec"], kept),
        synapses_out=synapses_of(net["w_out"], kept),
        aliases=[[int(target)] if target >= 0 else [] for target in net["alias"]],
        threshold=net["threshold"].tolist(),
        threshold_out=net["threshold_out"].tolist(),
        has_bias=True,
        bias=net["bias"].tolist(),
        bias_out=net["bias_out"].tolist(),
        weight_shift_inp=int(net["shift_in"]),
        weight_shift_rec=int(net["shift_rec"]),
        weight_shift_out=int(net["shift_out"]),
        dash_mem=net["dash_mem"].tolist(),
        dash_mem_out=net["dash_mem_out"].tolist(),
        dash_syns=net["dash_syn"].T.tolist(),
        dash_syns_out=net["dash_syn_out"][:, None].tolist(),
        name="net",
    )


def main(network_path, trace_path):
    net, kept = np.load(network_path), []
    layer = layer_of(net, kept)
    out = layer.evolve(net["spikes"].tolist())
    rows = {
        "v": layer.rec_v_mem, "i0": layer.rec_i_syn, "i1": layer.rec_i_syn2,
        "v_out": layer.rec_v_mem_out, "i0_out": layer.rec_i_syn_out,
    }  # fmt: skip
    found = {name: np.array(values, dtype=np.int64).T for name, values in rows.items()}
    np.savez(trace_path, spikes=np.array(layer.rec_recurrent_spikes), spikes_out=np.array(out), **found)


if __name__ == "__main__":
    for given, found in zip(sys.argv[1::2], sys.argv[2::2]):  # noqa: B905 - runs on older Pythons, too
        main(given, found)
