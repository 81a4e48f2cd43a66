"""Do the memory images say what the network says? Read by a decoder written from the cores' documentation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import spikeloom as sl
from test_event_chips import winner_takes_all
from test_hand_built_chips import crossbar

Words = list[int]


def words(path: Path, base: int = 16) -> Words:
    return [int(line, base) for line in path.read_text().split()]


def field(word: int, low: int, bits: int, *, signed: bool = False) -> int:
    value = word >> low & ((1 << bits) - 1)
    return value - (1 << bits) if signed and value >> (bits - 1) else value


def synapse(memory: Words, pre: int, post: int) -> int:
    """The four bits of a synapse of (tiny)ODIN."""
    word = memory[pre << 5 | post >> 3]
    return word >> 4 * (post & 7) & 15


def rows_of_lines(folder: Path) -> dict[tuple[str, int], int]:
    lines = (line.split() for line in (folder / "inputs.txt").read_text().splitlines())
    return {(name, int(channel)): int(row) for name, channel, row in lines}


def expected(network: sl.SpikingNetwork, folder: Path) -> np.ndarray:
    """(256, 256) codes, from the network's own projections."""
    first, count = {}, 0
    for population in network.populations.values():
        if not population.is_input:
            first[population.name] = count
            count += population.size
    lines, matrix = rows_of_lines(folder), np.zeros((256, 256), dtype=int)
    for projection in network.projections:
        if projection.receptor:
            continue
        codes = projection.weights.toarray()  # type: ignore[union-attr]
        source = projection.source
        rows = [first[source] + k if source in first else lines[source, k] for k in range(len(codes))]
        start = first[projection.target]
        matrix[rows, start : start + codes.shape[1]] += codes
    return matrix


def test_tinyodin(tmp_path: Path) -> None:
    network = winner_takes_all("tinyodin")
    files = sl.export(sl.place(network, ticks=8), "memh", tmp_path)
    assert {path.name for path in files} == {"neurons.hex", "synapses.hex", "registers.txt", "inputs.txt"}
    neurons, synapses = words(tmp_path / "neurons.hex"), words(tmp_path / "synapses.hex")
    assert (len(neurons), len(synapses)) == (256, 8192)
    decoded = [[synapse(synapses, pre, post) for post in range(256)] for pre in range(256)]
    signed = np.array(decoded)
    signed[signed > 7] -= 16
    assert np.array_equal(signed, expected(network, tmp_path))
    assert [field(word, 12, 12) for word in neurons[:12]] == [21] * 4 + [3] * 4 + [2] * 4
    assert [field(word, 24, 7) for word in neurons[:12]] == [1] * 4 + [0] * 8
    assert [word >> 31 for word in neurons] == [0] * 12 + [1] * 244
    assert (tmp_path / "registers.txt").read_text() == "SPI_MAX_NEUR 11\n"
    assert rows_of_lines(tmp_path) == {
        ("channels", k): 12 + k for k in range(4)
    }  # virtual events have no row


def test_a_start_below_zero_in_tinyodin(tmp_path: Path) -> None:
    network = sl.SpikingNetwork("tinyodin")
    network.population("n", 3, thr=5, init={"v": [-2, 0, 7]}, disable=[0, 1, 0])
    sl.export(sl.place(network), "memh", tmp_path)
    neurons = words(tmp_path / "neurons.hex")
    assert [field(word, 0, 12, signed=True) for word in neurons[:4]] == [-2, 0, 7, 0]
    assert [word >> 31 for word in neurons[:4]] == [0, 1, 0, 1]


def test_odin(tmp_path: Path) -> None:
    network = sl.SpikingNetwork("odin")
    source = network.input("in", 3, encoding="spikes")
    params = {"thr": [9, 255, 1, 2, 3], "leak": [0, 127, 1, 2, 3], "leak_enable": [1, 0, 1, 1, 1]}
    n = network.population("n", 5, init={"v": [0, 200, 1, 0, 0]}, **params)
    network.connect(source, n, sparse([[7, 0, 1, 0, 0], [-3, -1, 0, 0, 0], [0, 0, 0, 0, 2]]))
    network.connect(n, n, sparse(-np.eye(5, k=1, dtype=int)))
    network.output(n)
    sl.export(sl.place(network), "memh", tmp_path)
    neurons, synapses = words(tmp_path / "neurons.hex"), words(tmp_path / "synapses.hex")
    wanted = expected(network, tmp_path)
    signs = int((tmp_path / "registers.txt").read_text().split()[1], 16)
    for pre, post in np.ndindex(256, 256):
        bits = synapse(synapses, pre, post)
        assert bits & 7 == abs(wanted[pre, post])
        assert bits >> 3 == (wanted[pre, post] != 0)
    assert [k for k in range(256) if signs >> k & 1] == sorted(
        {int(k) for k in np.argwhere(wanted < 0)[:, 0]}
    )
    assert all(word & 1 for word in neurons)  # integrate-and-fire, not Izhikevich
    assert [field(word, 9, 8) for word in neurons[:5]] == [9, 255, 1, 2, 3]
    assert [field(word, 1, 7) for word in neurons[:5]] == [0, 127, 1, 2, 3]
    assert [field(word, 8, 1) for word in neurons[:5]] == [1, 0, 1, 1, 1]
    assert [field(word, 70, 8) for word in neurons[:5]] == [0, 200, 1, 0, 0]
    assert [word >> 127 for word in neurons[4:6]] == [0, 1]


def sparse(matrix: object) -> object:
    from scipy.sparse import csr_array

    return csr_array(np.array(matrix))


def test_ranc(tmp_path: Path) -> None:
    """Two populations on two cores: what each word says of its neuron, and where its spikes go."""
    network = crossbar("ranc")
    program = sl.place(network, ticks=8)
    sl.export(program, "memh", tmp_path)
    first, second = network.projections
    axons = {name: {} for name in ("in", "first")}
    for line in (tmp_path / "inputs.txt").read_text().splitlines():
        name, channel, core, axon, tick = line.split()
        assert (name, tick) == ("in", "2")
        axons["in"][int(channel)] = (int(core), int(axon))
    cores = {c: (tmp_path / f"core{c}" / "csram.mem").read_text().split() for c in range(program.n_cores)}
    types = {c: words(tmp_path / f"core{c}" / "types.mem", 2) for c in range(program.n_cores)}
    assert all(len(memory) == 256 and {len(text) for text in memory} == {367} for memory in cores.values())
    number = {placed.name: placed.neurons for placed in program.populations}
    starts = program.arrays.core_neuron_start
    where = {
        name: [(int(c := np.searchsorted(starts, k, side="right") - 1), int(k - starts[c])) for k in found]
        for name, found in number.items()
    }
    for k, (core, place) in enumerate(where["first"]):
        dx, dy, axon, tick = route(cores[core][place])
        assert tick == 5
        axons["first"][k] = (core + dx + 16 * dy, axon)
    for projection, source, target in ((first, "in", "first"), (second, "first", "second")):
        connected = np.asarray(projection.weights)
        for (i, j), bit in np.ndenumerate(connected):
            core, axon = axons[source][i]
            own, place = where[target][j]
            assert core == own
            assert cores[core][place][255 - axon] == str(int(bit))
        kinds = [types[c][a] for c, a in (axons[source][i] for i in range(len(connected)))]
        assert kinds == ([0, 1, 2, 3] * 4 if source == "in" else [0] * 7 + [1] * 3)
    params = network.populations["first"].params
    for k, (core, place) in enumerate(where["first"]):
        numbers = [int(cores[core][place][256 + 9 * n : 265 + 9 * n], 2) for n in range(9)]
        numbers = [value - 512 if value >= 256 else value for value in numbers]
        assert numbers == [0, 0, *(int(params[f"w{n}"][k]) for n in range(4)), -1, 70, -90]
    for core, place in where["second"]:  # drives nothing: it must not reach an axon that is read
        dx, dy, axon, _ = route(cores[core][place])
        assert (dx, dy) == (0, 0)
        assert not any(text[255 - axon] == "1" for text in cores[core])


def route(text: str) -> tuple[int, int, int, int]:
    """dx, dy, axon and tick, the lowest 30 bits of a RANC word."""
    word = int(text, 2)
    dx, dy = (field(word, low, 9, signed=True) for low in (21, 12))
    return dx, dy, field(word, 4, 8), field(word, 0, 4)


def test_other_chips_are_refused_by_name(tmp_path: Path) -> None:
    network = sl.SpikingNetwork("loihi1")
    network.population("n", 2, vth=100)
    with pytest.raises(sl.ProgramError, match="profile loihi1: has no memory image"):
        sl.export(sl.place(network), "memh", tmp_path / "new")


def test_one_reset_mode_for_all_of_ranc(tmp_path: Path) -> None:
    network = sl.SpikingNetwork("ranc")
    network.population("n", 2, positive=50, mode=[0, 1])
    with pytest.raises(sl.ProgramError, match="differs between neurons"):
        sl.export(sl.place(network), "memh", tmp_path)
    assert not any(tmp_path.iterdir())
