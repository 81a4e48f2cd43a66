"""Random small networks of every kind of projection, and chips with cores far too small for them."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from hypothesis import strategies as st
from scipy.sparse import coo_array, csc_array, csr_array, lil_array
from spikeloom.network.network import SpikingNetwork
from spikeloom.network.projection import Convolution, Population
from spikeloom.profile.catalog import load_profile
from spikeloom.profile.schema import Profile

KINDS = ("dense", "sparse", "convolution")
Overrides = tuple[tuple[str, object], ...]


@lru_cache(maxsize=512)
def profile_with(overrides: Overrides = (), name: str = "loihi1") -> Profile:
    return load_profile(name, override=dict(overrides))


@st.composite
def chips(draw: st.DrawFn, *, ample: bool = False) -> Profile:
    """Loihi, or `ideal`, with some limits that force small networks apart, or together."""
    if draw(st.integers(0, 5)) == 0:
        return profile_with((), "ideal")
    changes: dict[str, object] = {"limits.cores": None, "time.spike_latency_ticks": draw(st.integers(1, 3))}
    if not ample:
        if draw(st.booleans()):
            changes["limits.neurons_per_core"] = draw(st.integers(1, 9))
        if draw(st.booleans()):
            changes["limits.memory.synapse.bits"] = draw(st.sampled_from([4096, 6144, 16384]))
        if draw(st.booleans()):
            changes["limits.out_axons_per_core"] = draw(st.integers(30, 60))
        if draw(st.booleans()):
            changes["limits.shared_table.vth_cfg.max"] = draw(st.integers(1, 2))
        if draw(st.booleans()):
            changes["limits.shared_table.synapse_format.max"] = draw(st.integers(5, 7))
        if draw(st.integers(0, 3)) == 0:
            changes["limits.cores"] = draw(st.integers(1, 6))
        if draw(st.booleans()):
            changes["delivery.order"] = ["recurrent", "input"]
    return profile_with(tuple((key, tuple(v) if isinstance(v, list) else v) for key, v in changes.items()))


@st.composite
def networks(draw: st.DrawFn, *, ample: bool = False) -> SpikingNetwork:
    """A chain of one to three layers after one or two inputs, with skips and loops between them."""
    network = SpikingNetwork(draw(chips(ample=ample)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    ends: list[Population] = [network.input("a", draw(st.sampled_from([3, 12, 16])))]
    if draw(st.booleans()):
        ends.append(network.input("b", 4, encoding="bits", signed=True, planes=2))
    for k in range(draw(st.integers(1, 3))):
        source = ends[int(rng.integers(len(ends)))]
        ends.append(_layer(draw, network, source, f"layer{k}", rng))
    neurons = [end for end in ends if not end.is_input]
    for _ in range(draw(st.integers(0, 3))):
        source, target = ends[int(rng.integers(len(ends)))], neurons[int(rng.integers(len(neurons)))]
        connect_matrix(network, source, target, draw(st.sampled_from(KINDS[:2])), rng)
    network.output(neurons[-1], read="v", scale=0.5)
    return network


def _layer(
    draw: st.DrawFn, network: SpikingNetwork, source: Population, name: str, rng: np.random.Generator
) -> Population:
    kind = draw(st.sampled_from(KINDS))
    if kind == "convolution" and source.size % 2 == 0:
        kernel = random_kernel(draw, network, source.size, rng)
        target = _neurons(network, name, int(np.prod(kernel.output_shape)), rng)
        shared = _shared(network, (kernel.codes.shape[0], 1, 1, kernel.codes.shape[3]), rng)
        network.connect(source, target, kernel, delays=int(rng.integers(4)), **shared)
        return target
    target = _neurons(network, name, draw(st.integers(1, 13)), rng)
    connect_matrix(network, source, target, "dense" if kind == "dense" else "sparse", rng)
    return target


def _neurons(network: SpikingNetwork, name: str, size: int, rng: np.random.Generator) -> Population:
    if network.profile.is_analog:
        return network.population(name, size, vth=rng.uniform(1, 2, size), init={"v": rng.normal(size=size)})
    return network.population(
        name, size, vth=rng.integers(1, 4, size), bias=rng.integers(-9, 9, size), bias_exp=2
    )


def random_kernel(
    draw: st.DrawFn, network: SpikingNetwork, size: int, rng: np.random.Generator
) -> Convolution:
    """A kernel over some image of `size` neurons: any geometry that leaves an output."""
    shapes = [(h, w, size // (h * w)) for h in range(1, 7) for w in range(1, 7) if size % (h * w) == 0]
    shape = draw(st.sampled_from(shapes))
    pool = (draw(st.integers(1, min(2, shape[0]))), draw(st.integers(1, min(2, shape[1]))))
    padding = tuple(draw(st.integers(0, 2)) for _ in range(4))
    image = (shape[0] // pool[0] + padding[0] + padding[2], shape[1] // pool[1] + padding[1] + padding[3])
    taps = (draw(st.integers(1, min(3, image[0]))), draw(st.integers(1, min(3, image[1]))))
    stride = (draw(st.integers(1, 3)), draw(st.integers(1, 3)))
    apart = [
        draw(st.integers(1, (side - 1) // max(1, n - 1) or 1)) for side, n in zip(image, taps, strict=True)
    ]
    groups = draw(st.sampled_from([g for g in range(1, 5) if shape[2] % g == 0]))
    outputs = groups * draw(st.integers(1, 3 if groups == 1 else 2))
    codes = random_codes(network, (shape[2] // groups, *taps, outputs), rng)
    return Convolution(codes, shape, stride, padding, pool, tuple(apart), groups)  # type: ignore[arg-type]


def connect_matrix(
    network: SpikingNetwork, source: Population, target: Population, kind: str, rng: np.random.Generator
) -> None:
    """A dense or sparse projection with one delay, one a row, or one a synapse."""
    shape = (source.size, target.size)
    shared = _shared(network, (shape[0], shape[1]), rng)
    row_delays = np.broadcast_to(rng.integers(0, 3, (shape[0], 1)), shape)
    delays = (int(rng.integers(3)), rng.integers(0, 3, shape), row_delays)[rng.integers(3)]
    codes = random_codes(network, shape, rng)
    if kind == "dense":
        network.connect(source, target, codes, delays=delays, **shared)
        return
    mask = rng.random(shape) < rng.choice([0.0, 0.1, 0.5])
    codes = np.where(mask & (codes == 0), 2, codes) * mask
    convert = (csr_array, csc_array, coo_array, lil_array)[rng.integers(4)]
    network.connect(source, target, convert(codes), delays=delays, **shared)


def random_codes(network: SpikingNetwork, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    return rng.normal(size=shape) if network.profile.is_analog else rng.integers(-127, 127, shape) * 2


def _shared(
    network: SpikingNetwork, shape: tuple[int, ...], rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """No exponent, one, one a column, or one a row."""
    if network.profile.is_analog or rng.integers(3) == 0:
        return {}
    columns, rows = rng.integers(-2, 3, shape[-1]), rng.integers(-2, 3, (shape[0], *(1 for _ in shape[1:])))
    return {"w_exp": (np.array(3), columns, rows)[rng.integers(3)]}
