"""Is what breaks a rule of the profile refused, in one line that names it, its value and its limit?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.sparse import coo_array, csr_array
from small_networks import kernel, ones, small
from spikeloom.errors import NetworkError
from spikeloom.network.network import SpikingNetwork
from spikeloom.network.projection import Population

Build = Callable[[SpikingNetwork, Population, Population], object]

X, N = "projection x -> n", "population p"
REFUSED: list[tuple[Build, str, str]] = [
    # populations and inputs
    (
        lambda b, x, n: b.population("p", 2),
        N,
        "needs the parameter vth; limit 1 to 131071 on loihi1; give vth=...",
    ),
    (lambda b, x, n: b.population("p", 2, vth=0), N, "vth is out of range; got 0, limit 1 to 131071"),
    (
        lambda b, x, n: b.population("p", 2, vth=131072),
        N,
        "vth is out of range; got 131072, limit 1 to 131071",
    ),
    (lambda b, x, n: b.population("p", 2, vth=[5, 0]), N, "vth is out of range at index 1; got 0"),
    (lambda b, x, n: b.population("p", 2, vth=1.5), N, "vth takes integers only; got 1.5"),
    (lambda b, x, n: b.population("p", 2, vth=float("nan")), N, "vth is not finite; got nan"),
    (lambda b, x, n: b.population("p", 2, vth=[1, 2, 3]), N, "vth has the wrong shape; got (3,), limit (2,)"),
    (lambda b, x, n: b.population("p", 2, vth=[[1], [2]]), N, "vth has the wrong shape; got (2, 1)"),
    (lambda b, x, n: b.population("p", 2, vth="high"), N, "vth is no array of real numbers; got str"),
    (lambda b, x, n: b.population("p", 2, vth=[[1], [2, 3]]), N, "vth is no array of real numbers; got list"),
    (lambda b, x, n: b.population("p", 2, vth=1j), N, "vth is no array of real numbers"),
    (lambda b, x, n: b.population("p", 2, vth=2**70), N, "vth is no array of real numbers"),
    (
        lambda b, x, n: b.population("p", 2, vth=1, bias_exp=8),
        N,
        "bias_exp is out of range; got 8, limit 0 to 7",
    ),
    (
        lambda b, x, n: b.population("p", 2, vth=1, decay_w=3),
        N,
        "the profile has no parameter decay_w; did you mean decay_",
    ),
    (lambda b, x, n: b.population("p", 2, vth=1, vth_exp=3), N, "the profile has no parameter vth_exp"),
    (
        lambda b, x, n: b.population("p", 2, vth=1, init={"v": 3}),
        N,
        "the profile has no free register v; known: none",
    ),
    (lambda b, x, n: b.population("p", 0, vth=1), N, "size must be an integer of at least 1; got 0"),
    (lambda b, x, n: b.population("p", 2.0, vth=1), N, "size must be an integer of at least 1; got 2.0"),
    (lambda b, x, n: b.population("p", True, vth=1), N, "size must be an integer of at least 1; got True"),
    (lambda b, x, n: b.population("p", 2**31, vth=1), N, "size is too large"),
    (lambda b, x, n: b.population("n", 2, vth=1), "population n", "the name is taken"),
    (lambda b, x, n: b.input("n", 2), "input n", "the name is taken"),
    (lambda b, x, n: b.input("", 2), "input", "a name is printable text"),
    (lambda b, x, n: b.input("a\nb", 2), "input a", "a name is printable text"),
    (lambda b, x, n: b.input(3, 2), "input 3", "a name is printable text"),
    (
        lambda b, x, n: b.input("i", 2, encoding="rates"),
        "input i",
        "there is no encoding rates; choose one of spikes",
    ),
    (lambda b, x, n: b.input("i", 2, scale=1.0), "input i", "takes spike counts, which have no scale"),
    (lambda b, x, n: b.input("i", 2, signed=True), "input i", "takes spike counts, which have no scale"),
    (
        lambda b, x, n: b.input("i", 2, encoding="rate", planes=2),
        "input i",
        "only the encoding bits has planes",
    ),
    (
        lambda b, x, n: b.input("i", 2, encoding="bits", planes=0),
        "input i",
        "planes must be an integer of at least 1",
    ),
    (
        lambda b, x, n: b.input("i", 9, encoding="bits", planes=3, signed=True),
        "input i",
        "a channel has 6 lines",
    ),
    (
        lambda b, x, n: b.input("i", 2, encoding="rate", scale=[1, 2, 3]),
        "input i",
        "scale has the wrong shape",
    ),
    (
        lambda b, x, n: b.input("i", 2, encoding="rate", scale=np.inf),
        "input i",
        "scale is not finite; got inf",
    ),
    # weights
    (
        lambda b, x, n: b.connect(x, n, ones(3, 4)),
        X,
        "weights have the wrong shape; got (3, 4), limit (4, 3)",
    ),
    (lambda b, x, n: b.connect(x, n, 1), X, "weights have the wrong shape; got (), limit (4, 3)"),
    (
        lambda b, x, n: b.connect(x, n, ones(4, 3) * 256),
        X,
        "got 256 to 256, limit excitatory: 0 to 255, inhibitory: -255 to 0, mixed: -256 to 254 in steps of 2",
    ),
    (lambda b, x, n: b.connect(x, n, [[1, -1, 1]] * 4), X, "got -1 to 1, odd ones among them"),
    (
        lambda b, x, n: b.connect(x, n, ones(4, 3) * -1, mode="excitatory"),
        X,
        "limit excitatory: 0 to 255 on loihi1; round",
    ),
    (lambda b, x, n: b.connect(x, n, ones(4, 3), mode="mixt"), X, "no weight mode mixt; did you mean mixed?"),
    (
        lambda b, x, n: b.connect(x, n, ones(4, 3) * 0.5),
        X,
        "weight takes integers only at index 0, 0; got 0.5",
    ),
    (
        lambda b, x, n: b.connect(x, n, np.full((4, 3), np.nan)),
        X,
        "weight is not finite at index 0, 0; got nan",
    ),
    (
        lambda b, x, n: b.connect(x, n, csr_array(ones(3, 4))),
        X,
        "weights have the wrong shape; got (3, 4), limit (4, 3)",
    ),
    (lambda b, x, n: b.connect(x, n, csr_array(ones(4, 3) * 999)), X, "no weight mode holds all the weights"),
    (
        lambda b, x, n: b.connect(x, n, coo_array(([1, 2], ([1, 1], [2, 2])), shape=(4, 3))),
        X,
        "stores a synapse twice; got (1, 2); call weights.sum_duplicates() first",
    ),
    # shared values, receptors, delays
    (lambda b, x, n: b.connect(x, n, ones(4, 3), w_exp=8), X, "w_exp is out of range; got 8, limit -7 to 7"),
    (lambda b, x, n: b.connect(x, n, ones(4, 3), w_exp=0.5), X, "w_exp takes integers only; got 0.5"),
    (
        lambda b, x, n: b.connect(x, n, ones(4, 3), w_exp=[1, 2, 3, 4]),
        X,
        "w_exp has the wrong shape; got (4,), limit (4, 3)",
    ),
    (
        lambda b, x, n: b.connect(x, n, ones(4, 3), w_ex=1),
        X,
        "no shared weight value w_ex; did you mean w_exp?",
    ),
    (lambda b, x, n: b.connect(x, n, ones(4, 3), receptor=1), X, "no such receptor; got 1, limit 0 to 0"),
    (
        lambda b, x, n: b.connect(x, n, ones(4, 3), receptor=-1),
        X,
        "receptor must be an integer of at least 0",
    ),
    (
        lambda b, x, n: b.connect(x, n, ones(4, 3), delays=63),
        X,
        "delay is out of range; got 63, limit 0 to 62",
    ),
    (
        lambda b, x, n: b.connect(x, n, ones(4, 3), delays=-1),
        X,
        "delay is out of range; got -1, limit 0 to 62",
    ),
    (
        lambda b, x, n: b.connect(x, n, ones(4, 3), delays=ones(3, 4)),
        X,
        "delays have the wrong shape; got (3, 4)",
    ),
    (
        lambda b, x, n: b.connect(x, n, csr_array(ones(4, 3)), delays=ones(5)),
        X,
        "delays have the wrong shape; got (5,)",
    ),
    # convolutions
    (
        lambda b, x, n: b.connect(x, n, kernel(), delays=ones(4, 3)),
        X,
        "delays have the wrong shape; got (4, 3), limit one",
    ),
    (
        lambda b, x, n: b.connect(x, n, kernel((2, 1, 2, 1))),
        X,
        "another number of input channels than the image; got 2, limit 1",
    ),
    (
        lambda b, x, n: b.connect(x, n, kernel(input_shape=(1, 5, 1))),
        X,
        "does not hold the source's neurons; got 5, limit 4",
    ),
    (
        lambda b, x, n: b.connect(x, n, kernel((1, 1, 3, 1))),
        X,
        "the convolution makes (1, 2, 1) outputs, not the target's",
    ),
    (
        lambda b, x, n: b.connect(x, n, kernel((1, 1, 5, 1))),
        X,
        "the kernel is larger than the pooled and padded image",
    ),
    (
        lambda b, x, n: b.connect(x, n, kernel(pool=(2, 1))),
        X,
        "the kernel is larger than the pooled and padded image",
    ),
    (
        lambda b, x, n: b.connect(x, n, kernel(stride=(0, 1))),
        X,
        "stride must be an integer of at least 1; got 0",
    ),
    (
        lambda b, x, n: b.connect(x, n, kernel(padding=(0, 0, 0, -1))),
        X,
        "padding must be an integer of at least 0",
    ),
    (lambda b, x, n: b.connect(x, n, kernel(padding=1)), X, "padding needs 4 integers; got 1"),
    (
        lambda b, x, n: b.connect(x, n, kernel((1, 2, 1))),
        X,
        "a kernel has the shape (in / groups, kernel y, kernel x, out)",
    ),
    (
        lambda b, x, n: b.connect(x, n, kernel(dilation=(0, 1))),
        X,
        "dilation must be an integer of at least 1",
    ),
    (lambda b, x, n: b.connect(x, n, kernel(groups=0)), X, "groups must be an integer of at least 1"),
    (lambda b, x, n: b.connect(x, n, kernel(groups=2)), X, "another number of input channels"),
    (lambda b, x, n: b.connect(x, n, kernel(dilation=(1, 9))), X, "larger than the pooled and padded image"),
    # ends
    (lambda b, x, n: b.connect(x, x, ones(4, 4)), "projection x -> x", "x is an input, not neurons"),
    (lambda b, x, n: b.connect(x, small()[2], ones(4, 3)), X, "the population is not of this network"),
    (lambda b, x, n: b.connect(small()[1], n, ones(4, 3)), X, "the source is not of this network"),
    (
        lambda b, x, n: b.connect("x", n, ones(4, 3)),
        "projection 'x' -> n",
        "the source is not of this network",
    ),
    (
        lambda b, x, n: b.connect(b.input("c", 1, encoding="current"), n, ones(1, 3)),
        "projection c -> n",
        "host_layer",
    ),
    # outputs
    (lambda b, x, n: b.output(n, read="u"), "output n", "no readable output u; known: spikes, v"),
    (lambda b, x, n: b.output(x), "output x", "x is an input, not neurons"),
    (
        lambda b, x, n: b.output(n, scale=[1, 2]),
        "output n",
        "scale has the wrong shape; got (2,), limit (3,)",
    ),
    (lambda b, x, n: b.output(n, offset=np.nan), "output n", "offset is not finite; got nan"),
    (lambda b, x, n: (b.output(n), b.output(n, read="v")), "output n", "is read already"),
    (
        lambda b, x, n: b.host_layer(x, n, ones(4, 3)),
        "host layer x -> n",
        "starts at no input of the encoding current",
    ),
    (
        lambda b, x, n: b.host_layer(b.input("c", 1, encoding="current"), n, ones(2, 3)),
        "host layer c -> n",
        "weights have the wrong shape; got (2, 3), limit (1, 3)",
    ),
]


@pytest.mark.parametrize("case", range(len(REFUSED)))
def test_what_breaks_a_rule_is_refused_in_one_line_and_not_added(case: int) -> None:
    build, subject, message = REFUSED[case]
    network, source, target = small()
    with pytest.raises(NetworkError) as caught:
        build(network, source, target)
    assert caught.value.subject.startswith(subject)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not network.projections
    assert not network.hosts
    assert "p" not in network.populations
