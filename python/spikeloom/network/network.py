"""The spiking network: populations, projections and readouts in chip codes, checked as they are added."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array, issparse

from spikeloom.errors import NetworkError, names_chip
from spikeloom.network.fidelity import Fidelity
from spikeloom.network.populations import checked_init, checked_input, checked_params
from spikeloom.network.projection import Encoding, HostLayer, Population, Projection, Readout
from spikeloom.network.sources import check_sources
from spikeloom.network.synapses import checked_formats, checked_weights
from spikeloom.network.values import count, frozen, reals, spread, unknown
from spikeloom.profile.catalog import load_profile
from spikeloom.profile.schema import Profile


class SpikingNetwork:
    """What a chip is to run, without cores yet; the fit, a script and a NIR file all make one.

    Every value is checked against the profile when it is added; NetworkError names the population or
    projection, the parameter, the value, the limit and the remedy. Arrays are copied, and read-only from then
    on.

    Parameters
    ----------
    profile : a profile, or its name or path.

    >>> network = SpikingNetwork("loihi1")
    >>> pixels = network.input("pixels", 4, encoding="rate")
    >>> exc = network.population("exc", 3, vth=100, decay_v=128)
    >>> network.connect(pixels, exc, [[12, -4, 0]] * 4, delays=2, w_exp=1)
    >>> network.output(exc)
    >>> network.projections[0].modes
    ('mixed',)

    Where a chip has types of axon, rows hold bits, and each neuron keeps what a bit adds for each type:

    >>> crossbar = SpikingNetwork("ranc")
    >>> axons = crossbar.input("axons", 2)
    >>> neurons = crossbar.population("neurons", 3, positive=9, w0=4, w1=[-2, -1, 0])
    >>> crossbar.connect(axons, neurons, [[1, 1, 0], [0, 1, 1]], type=[0, 1])

    Whatever is wrong is refused at once:

    >>> network.output(exc)
    Traceback (most recent call last):
    spikeloom.errors.NetworkError: output exc: is read already; read each population once
    """

    def __init__(self, profile: Profile | str | Path) -> None:
        self._profile = load_profile(profile)
        self._populations: dict[str, Population] = {}
        self._projections: list[Projection] = []
        self._readouts: list[Readout] = []
        self._hosts: list[HostLayer] = []
        self._fidelity: list[Fidelity] = []

    @property
    def profile(self) -> Profile:
        """The chip that the codes are for."""
        return self._profile

    @property
    def populations(self) -> Mapping[str, Population]:
        """Inputs and neurons by name, in the order in which they were added."""
        return MappingProxyType(self._populations)

    @property
    def projections(self) -> tuple[Projection, ...]:
        """Projections in the order in which they were added."""
        return tuple(self._projections)

    @property
    def readouts(self) -> tuple[Readout, ...]:
        """What is read, in the order in which it was added."""
        return tuple(self._readouts)

    @property
    def hosts(self) -> tuple[HostLayer, ...]:
        """Layers that the host computes (encoding `current`)."""
        return tuple(self._hosts)

    @property
    def fidelity(self) -> tuple[Fidelity, ...]:
        """Of a network read from a file: each parameter as described, its register, and what that stands for."""
        return tuple(self._fidelity)

    def note(self, *rows: Fidelity) -> None:
        """Add rows to the fidelity table."""
        self._fidelity += rows

    @names_chip
    def input(
        self,
        name: str,
        size: int,
        *,
        encoding: Encoding = "spikes",
        scale: ArrayLike | None = None,
        signed: bool = False,
        planes: int = 1,
        order: ArrayLike | None = None,
    ) -> Population:
        """Add `size` input lines.

        Parameters
        ----------
        encoding : how values become spikes; "spikes": they are spike counts already. The lines of "current"
            carry no spikes: a host layer reads the values. "constant": no values are given, each line makes
            `scale` spikes a tick, as "rate" would; for a bias by an axon.
        scale : one number or (channels,), value * scale lies in [-1, 1]; None: 1.
        signed : a channel has a pair of lines for its positive and its negative half, side by side.
        planes : lines of each (half) channel, for the encoding "bits".
        order : (channels,), channel k takes value order[k] of a flattened sample; None: value k. For a network
            that takes its images channels-first, while lines are numbered channels-last.
        """
        subject = f"input {name}"
        self._check_new(subject, name, size)
        return self._add(checked_input(subject, name, size, encoding, scale, signed, planes, order))

    @names_chip
    def population(
        self, name: str, size: int, *, init: Mapping[str, ArrayLike] | None = None, **params: ArrayLike
    ) -> Population:
        """Add `size` neurons.

        Parameters
        ----------
        init : start values of registers that the profile leaves free, one number or (size,).
        params : codes of the profile's parameters, one number or (size,); `NAME_exp` is the exponent of a
            parameter of the format `mant_exp`. What is left out has the profile's default.
        """
        subject = f"population {name}"
        self._check_new(subject, name, size)
        codes = checked_params(subject, params, int(size), self._profile)
        starts = checked_init(subject, init or {}, int(size), self._profile)
        return self._add(Population(name, int(size), params=codes, init=starts))

    @names_chip
    def connect(
        self,
        source: Population,
        target: Population,
        weights: Any,
        *,
        delays: int | ArrayLike = 0,
        mode: str | None = None,
        receptor: int = 0,
        **shared: int | ArrayLike,
    ) -> None:
        """Add synapses from `source` to `target`.

        Parameters
        ----------
        weights : codes (source neurons, target neurons), dense or any scipy sparse array, or a `Convolution`.
            Every stored entry is a synapse, a zero too.
        delays : ticks; one number, one for each synapse of a matrix, or for each element of a sparse `.data`.
        mode : weight mode; None: the first that holds all codes of a format.
        receptor : which of the profile's accumulators the synapses add to; in event mode, which kind of event
            a spike is (`event.receptors`).
        shared : shared weight values by the profile's names; one number, one for each target neuron (output
            channel), or anything that broadcasts against the matrix (the kernel); one number, or one for each
            source neuron (input channel) where the scope is `axon`. Absent: the default.
        """
        subject = f"projection {_name(source)} -> {_name(target)}"
        self._check_ends(subject, source, target)
        receptors = len(self._profile.delivery.into)
        if count(receptor, subject, "receptor", 0) >= receptors:
            raise NetworkError(
                subject, "the profile has no such receptor", value=receptor, limit=f"0 to {receptors - 1}"
            )
        checked, ticks = checked_weights(weights, delays, (source.size, target.size), subject, self._profile)
        formats, modes, values = checked_formats(checked, shared, mode, subject, self._profile)
        new = Projection(
            source.name, target.name, checked, ticks, formats, modes, values, int(receptor)
        )  # fmt: skip
        check_sources(subject, source, checked, new, self._projections, self._profile)
        self._projections.append(new)

    @names_chip
    def output(
        self, population: Population, *, read: str = "spikes", scale: ArrayLike = 1.0, offset: ArrayLike = 0.0
    ) -> None:
        """Read a population: reading * scale + offset, each one number or (size,).

        read : "spikes", counted over the population's window, or a register at the window's end, where the
            profile makes it readable.
        """
        subject = f"output {_name(population)}"
        self._check_neurons(subject, population)
        if read not in self._profile.outputs.readable:
            raise unknown(subject, "readable output", read, self._profile.outputs.readable)
        if any(readout.population == population.name for readout in self._readouts):
            raise NetworkError(subject, "is read already", remedy="read each population once")
        scales, offsets = (spread(reals(value, subject, what), population.size, subject, what)
                           for value, what in ((scale, "scale"), (offset, "offset")))  # fmt: skip
        self._readouts.append(Readout(population.name, read, scales, offsets))

    @names_chip
    def host_layer(
        self, source: Population, target: Population, weights: Any, *, bias: ArrayLike = 0.0
    ) -> None:
        """Let the host compute the effective bias of `target` for each sample: source @ weights + bias.

        Parameters
        ----------
        source : an input of the encoding "current".
        weights : (channels, target neurons) real numbers, dense or any scipy sparse array.
        bias : one number, or one for each target neuron.
        """
        subject = f"host layer {_name(source)} -> {_name(target)}"
        self._check_neurons(subject, target)
        if self._populations.get(_name(source)) is not source or source.encoding != "current":
            raise NetworkError(subject, "starts at no input of the encoding current",
                               remedy='add one with input(..., encoding="current")')  # fmt: skip
        if self._profile.bias.kind != "register":
            raise NetworkError(subject, "the profile has no bias that the host could write",
                               remedy="use another encoding")  # fmt: skip
        if any(host.target == target.name for host in self._hosts):
            raise NetworkError(subject, "the target has a host layer already")
        dense = reals(weights.toarray() if issparse(weights) else weights, subject, "weight")
        channels = source.size // (source.planes * (2 if source.signed else 1))
        if dense.shape != (channels, target.size):
            raise NetworkError(
                subject, "weights have the wrong shape", value=dense.shape, limit=(channels, target.size)
            )
        biases = spread(reals(bias, subject, "bias"), target.size, subject, "bias")
        self._hosts.append(HostLayer(target.name, _frozen_csr(dense), biases, source.name))

    def _add(self, population: Population) -> Population:
        self._populations[population.name] = population
        return population

    def _check_new(self, subject: str, name: object, size: object) -> None:
        if not isinstance(name, str) or not name.strip() or not name.isprintable():
            raise NetworkError(subject, "a name is printable text that is not empty", value=repr(name))
        if name in self._populations:
            raise NetworkError(subject, "the name is taken", remedy="choose another name")
        count(size, subject, "size")

    def _check_ends(self, subject: str, source: Population, target: Population) -> None:
        self._check_neurons(subject, target)
        if self._populations.get(_name(source)) is not source:
            raise NetworkError(
                subject, "the source is not of this network", remedy="use what input() or population() gave"
            )
        if source.encoding == "current":
            raise NetworkError(
                subject, "an input of the encoding current has no synapses", remedy="use host_layer()"
            )

    def _check_neurons(self, subject: str, population: Population) -> None:
        if self._populations.get(_name(population)) is not population:
            raise NetworkError(
                subject, "the population is not of this network", remedy="use what population() gave"
            )
        if population.is_input:
            raise NetworkError(
                subject, f"{population.name} is an input, not neurons", remedy="use a population"
            )


def _name(population: object) -> str:
    return population.name if isinstance(population, Population) else repr(population)


def _frozen_csr(dense: NDArray[np.float64]) -> csr_array:
    matrix = csr_array(dense)
    for array in (matrix.data, matrix.indices, matrix.indptr):
        frozen(array)
    return matrix
