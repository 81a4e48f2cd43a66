"""Does a convolution whose targets look for their sources give what the twin makes of it, synapse by synapse?"""

import numpy as np
import pytest
from agreement_cases import OWN, core_trace
from spikeloom.network.network import SpikingNetwork
from spikeloom.network.projection import Convolution
from spikeloom.placement.place import place
from spikeloom.profile.catalog import load_profile
from spikeloom.reference.compare import combine, compare
from spikeloom.reference.twin.executor import run_twin

IMAGE, TICKS = (6, 7, 3), 5


def convolved(rng, channels, stride, padding):
    """Pixels, a convolution of them, a second one of its spikes, and random spikes of which some are several."""
    network = SpikingNetwork(load_profile(OWN / "leaky_fire.toml"))
    source, shape = network.input("pixels", int(np.prod(IMAGE))), IMAGE
    for name in ("first", "second"):
        kernel = rng.integers(-32, 32, (shape[2], 3, 3, channels))
        convolution = Convolution(kernel, shape, stride=(stride, stride), padding=(padding,) * 4)
        height, width = ((size + 2 * padding - 3) // stride + 1 for size in shape[:2])
        shape = (height, width, channels)
        target = network.population(name, height * width * channels, vth=60)
        network.connect(source, target, convolution)
        source = target
    network.output(source)
    share = rng.choice([0.02, 0.2, 0.6], (TICKS, 1))
    spikes = (rng.random((TICKS, int(np.prod(IMAGE)))) < share).astype(np.uint8)
    spikes[rng.random(spikes.shape) < 0.03] = 2
    return place(network, ticks=TICKS), spikes


@pytest.mark.parametrize("level", ["baseline", "v3", "v4"])
@pytest.mark.parametrize(("channels", "stride", "padding"), [(16, 1, 1), (20, 1, 0), (32, 2, 1)])
def test_convolutions_equal_the_twin(channels, stride, padding, level, monkeypatch):
    monkeypatch.setenv("SPIKELOOM_KERNELS", level)
    checks = []
    for seed in range(2):
        program, spikes = convolved(np.random.default_rng(seed), channels, stride, padding)
        twin = run_twin(program, spikes)
        checks.append(compare(twin, core_trace(program, spikes), program, seed))
    assert combine(checks).equal, combine(checks).first_divergence
    assert combine(checks).compared["spikes"] > 300
