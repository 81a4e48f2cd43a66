"""From a trained network to a chip program: layer by layer, then the best whole network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.ann.graph import Ann
from spikeloom.ann.load import load_ann
from spikeloom.emulation.emulate import Progress, emulate
from spikeloom.fit.problem import LayerFit, Method, Objective
from spikeloom.flows.conversion.answer_loss import divergence
from spikeloom.flows.conversion.axon_plan import has_line_signs
from spikeloom.flows.conversion.calibration import CalibrationSet, calibration_set
from spikeloom.flows.conversion.chain import Chain, convert_chains
from spikeloom.flows.conversion.checkpoint import Checkpoint, digest
from spikeloom.flows.conversion.chip_limits import weight_grid
from spikeloom.flows.conversion.convert_checks import check_choices, check_numbers, check_pool, checked_rows
from spikeloom.flows.conversion.convertible import check_convertible
from spikeloom.flows.conversion.helpers import FAN_INS, FanIn, check_alone, split_fan_in
from spikeloom.flows.conversion.input_coding import FEW_TICKS, InputEncoding
from spikeloom.flows.conversion.mesh_order import placed_by_traffic
from spikeloom.flows.conversion.outcome import Score, counter, report_of, warnings_of
from spikeloom.flows.conversion.overshoot import OVERSHOOTS, Overshoot
from spikeloom.flows.conversion.pools.max_pool import POOLS, Pool, Wired
from spikeloom.flows.conversion.robust import ROBUST, check_robust, robust_rival
from spikeloom.flows.conversion.row_draws import held_out_rows
from spikeloom.flows.conversion.smaller.budget import Budget
from spikeloom.flows.conversion.smaller.network import Smaller, smaller_network, with_kept
from spikeloom.flows.conversion.smaller.pruning import PrunedLayer
from spikeloom.flows.conversion.teaching import can_teach
from spikeloom.flows.conversion.time_limit import TimeLimit
from spikeloom.flows.conversion.tuning.chip_loop import tuned_to_chip, ways_to_tune
from spikeloom.flows.rows import row_hashes
from spikeloom.network.network import SpikingNetwork
from spikeloom.profile.catalog import load_profile
from spikeloom.profile.schema import Profile
from spikeloom.program.program import ChipProgram

if TYPE_CHECKING:
    from onnx import ModelProto

Array = NDArray[np.float64]
Environment = Callable[[Callable[[NDArray[np.floating]], Array]], float]
OBJECTIVES = ("matching", "l2", "l1", "linf")
ENCODINGS = (None, "rate", "bits", "current")
GAINS = (None, "keep", "free")


@dataclass(frozen=True, eq=False)
class Conversion:
    """A trained network, its spiking network and program, and how well every layer was fitted.

    ann: as it was given; pruned: what was kept of each layer that was made smaller
    candidates: for each way of converting the whole net, its scores on the calibration rows that judge
    programs: the program of each candidate, so that the winner can be held against the weight copy
    chosen: the way that won; layers: its fits, first layer first
    ideal: the winner on profile `ideal`, "fitted" with the relaxed weights, "quantised" with those of the chip
    seen: hashes of the calibration rows, so that none of them is scored; source: what the network was read from
    calibration: the rows themselves, with which `validate` calibrates chips that differ
    warnings: what the designer should know, in plain words
    """

    ann: Ann
    network: SpikingNetwork
    program: ChipProgram
    layers: tuple[LayerFit, ...]
    candidates: Mapping[str, Mapping[str, float]]
    programs: Mapping[str, ChipProgram]
    chosen: str
    warnings: tuple[str, ...] = ()
    pruned: tuple[PrunedLayer, ...] = ()
    ideal: Mapping[str, ChipProgram] = field(default_factory=dict)
    seen: frozenset[bytes] = frozenset()
    source: object = None
    calibration: Array | None = None


def convert(
    ann: Ann | str | Path | ModelProto,
    profile: Profile | str | Path,
    *,
    calibration: ArrayLike,
    ticks: int = 32,
    sizes: Mapping[str, int] | None = None,
    budget: Budget | None = None,
    distil: bool = False,
    objective: Objective = "matching",
    neurons_per_unit: int = 1,
    axons_per_source: int | None = None,
    encoding: InputEncoding | None = None,
    pool: Pool = "tree",
    overshoot: Overshoot = "lose",
    fan_in: FanIn = "thin",
    gain: Literal["keep", "free"] | None = None,
    environment: Environment | None = None,
    chip_seed: int | None = None,
    robust_chips: int | None = None,
    plain_rounding: bool = False,
    seed: int = 0,
    time_limit_s: float | None = None,
    checkpoint: str | Path | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Conversion:
    """Convert a trained network for a chip, layer by layer, on calibration data.

    Parameters
    ----------
    ann : an ONNX file, a model, or an `Ann`.
    profile : a chip by name ("loihi1:lava"), path, or `Profile`.
    calibration : (N, *input_shape) rows like those of use, never those that the result is judged on.
    ticks : length T of a layer's window.
    sizes : nodes (channels of a convolution) that a layer keeps, by its name: {"fc1": 64}. The best ones are
        kept and the next layer is solved again, then taught the network's answers, before the conversion.
    budget : neurons, synapses or cores of the whole network instead; every layer keeps the same share.
    distil : after pruning, all weights are also taught the whole network's answers on the calibration rows, and on
        mixtures of them where they are fewer than the weights.
    objective : "matching" (the neuron's measured response), "l2", "l1" or "linf" (one-sided: least
        squares, least absolute or least largest error).
    neurons_per_unit : neurons that count an activation together, each with a start of its own; twice as many
        where it can be negative. Those of a sigmoid or a tanh are ramps that add up to it: two come ten times as
        close to it as one.
    axons_per_source : most axons of a source, on chips whose weights go by an axon's type or its source's sign; as
        many as fit unless given. With one, such signs are chosen, too.
    encoding : "rate" (default from 16 ticks), "bits" or "current" (default below).
    pool : how the largest of several rates is had: "tree" (window - 1 neurons, exact in rates), "or" (one neuron
        that fires with any of them, and holds them back where the chip lets it) or "race" (the same, and a keeper
        beside each of them that makes good what its resets lose). The layers behind are fitted on what it gives.
    overshoot : "keep" what a neuron that is reset to zero has above its threshold: by a synapse onto itself, where
        the chip's current can gather the input (`loihi1`), else by a second neuron beside each.
    fan_in : where a chip limits the synapses onto a neuron: "thin" leaves inputs of dense layers out, "split" sums
        them up in blocks by helper neurons, a layer NAME_helpers before each layer that needs them.
    gain : "keep" holds each neuron's gain (default for one output, or with an environment).
    environment : takes a policy (N, *input_shape) -> (N, outputs) and returns a score, higher is better; it then
        chooses among the converted networks.
    chip_seed : the chip instance to fit. The converted network is tuned to it, neuron by neuron on any chip whose
        profile has imperfections, and synapse by synapse where that chip lets one measure them, integer weights by
        codes chosen anew for the measured gains: see `flows.conversion.tuning.chip_loop`. The best of them and of the
        network as it was, on held-out rows on that chip, is returned; all are in `programs`, with their numbers of
        chip runs in the program's report.
    robust_chips : the network is also fitted for chips that are not known, for the expected loss over the spread of
        their weights with each neuron's gain kept, and run on so many virtual chips. It is returned only if its yield
        is better there, on the rows that judge; its figures are in the program's report. See
        `flows.conversion.robust`.
    plain_rounding : also convert the whole network with weights rounded to the nearest codes, for comparison: it is
        in `programs` and `candidates` as "plain", and never chosen.
    time_limit_s : seconds by the clock after which proofs of pruning end and layers still to be fitted take the
        weight copy, with a warning; such a result depends on the machine's load.
    checkpoint : a file that holds every finished layer, so that a conversion that was interrupted goes on there.

    Returns a Conversion. The weight copy is always among the candidates; the winner on a fifth of the calibration
    rows, which no solve sees, is returned. A fit needs four other rows for each input of a layer. Raises AnnError,
    ProfileError, FitError or PlacementError.
    """
    network, chip = load_ann(ann), load_profile(profile)
    check_convertible(network)
    rows = checked_rows(network, calibration)
    check_numbers(chip, ticks, chip_seed, neurons_per_unit, axons_per_source)
    weight_grid(chip)  # refuses weights that no fit can choose
    check_choices(objective=(objective, OBJECTIVES), encoding=(encoding, ENCODINGS), gain=(gain, GAINS),
                   pool=(pool, POOLS), fan_in=(fan_in, FAN_INS), overshoot=(overshoot, OVERSHOOTS))  # fmt: skip
    check_robust(chip, robust_chips, objective)
    if fan_in == "split":
        check_alone(fan_in, sizes, budget)
        lines = 2 if (rows < 0).any() else 1
        network = split_fan_in(network, chip, input_lines=lines, neurons_per_unit=neurons_per_unit)
    check_pool(network, chip, pool, neurons_per_unit)
    limit = TimeLimit(time_limit_s)
    made = smaller_network(network, chip, rows[~held_out_rows(len(rows), seed)], Smaller(sizes, budget, distil), seed,
                           limit)  # fmt: skip
    smaller, pruned = made
    data = calibration_set(smaller, chip, rows, ticks=ticks, encoding=encoding, seed=seed,
                           neurons_per_unit=neurons_per_unit, pool=pool, most_axons=axons_per_source,
                           overshoot=overshoot)  # fmt: skip
    wanted = network.predict(data.rows[data.held])
    keep = gain == "keep" or (gain is None and (environment is not None or network.layers[-1].n_outputs == 1))
    methods = _methods(data, keep) + (("plain",) if plain_rounding else ())
    layers = sum(not isinstance(layer, Wired) for layer in data.layers)
    ways = len(methods) + (robust_chips is not None)
    tell = counter(progress, ways * layers + (0 if chip_seed is None else len(ways_to_tune(chip))))
    saved = Checkpoint(checkpoint, _digest(data, objective))
    chains = convert_chains(data, methods, objective, threads, tell, saved, limit)
    scores = {method: _scores(data, wanted, chain, environment, threads) for method, chain in chains.items()}
    chosen = _chosen({name: score for name, score in scores.items() if name != "plain"})
    extra: dict[str, Any] = {}
    if robust_chips is not None:

        def for_many(uneven: CalibrationSet) -> Chain:
            return convert_chains(uneven, (ROBUST,), objective, threads, tell, saved, limit)[ROBUST]

        rival = robust_rival(data, wanted, (chosen, chains[chosen]), robust_chips, for_many, threads)
        chosen, chains[ROBUST], extra["robust"] = rival.chosen, rival.chain, rival.figures
        scores[ROBUST] = _scores(data, wanted, rival.chain, environment, threads)
    chain = chains[chosen]
    placed = placed_by_traffic(chain.network, chain.program, rows, seed, threads)
    program = replace(
        placed, report={**placed.report, **report_of(chain, data, scores, chosen, pruned), **extra}
    )
    programs = {method: chain.program for method, chain in chains.items()} | {chosen: program}
    if chip_seed is not None:
        judges = data.rows[data.held], wanted
        rows_to_tune, perfect = data.rows[~data.held], chain.ideal["fitted"]
        tuned, facts = tuned_to_chip(program, perfect, int(chip_seed), rows_to_tune, judges, threads, tell)
        programs |= {f"chip {name}": one for name, one in tuned.items()}
        program = replace(next(iter(tuned.values())), report={**program.report, "chip": facts})
    return Conversion(
        network, chain.network, program, with_kept(chain.fits, smaller, pruned), scores, programs, chosen,
        warnings_of(data, chain, pruned), pruned, chain.ideal,
        frozenset(row_hashes(rows)), None if isinstance(ann, Ann) else ann, rows,
    )  # fmt: skip


def _digest(data: CalibrationSet, objective: Objective) -> str:
    """Of all that a converted layer depends on."""
    arrays = (part for layer in data.layers for part in (layer, *layer.arrays))
    return digest(data.profile.hash, data.ticks, data.coding, data.seed, data.neurons_per_unit, data.axons,
                  data.kept_by, objective, data.rows, *arrays)  # fmt: skip


def _methods(data: CalibrationSet, keep_gain: bool) -> tuple[Method, ...]:
    """The ways of converting the whole net that compete; copy is always among them."""
    if has_line_signs(data.profile, data.axons):
        return ("copy", "fit")
    if data.ticks < FEW_TICKS:
        layerwise: tuple[Method, ...] = ("copy", "fit", "fit+gain", "iv")
        return (*layerwise, "taught") if can_teach(data) else layerwise
    return ("copy", "fit", "fit+gain") if keep_gain else ("copy", "fit")


def _scores(
    data: CalibrationSet, wanted: Array, chain: Chain, environment: Environment | None, threads: int | None
) -> Score:
    """Held-out error of the outputs, of several how they agree on the largest, and the environment's score.

    wanted: (held, outputs) of the network as it was given, before any pruning
    """
    got = emulate(chain.program, data.rows[data.held], effects=(), threads=threads).outputs
    variance = float(np.mean((wanted - wanted.mean(axis=0)) ** 2))
    scores = {"nmse": float(np.mean((got - wanted) ** 2)) / max(variance, 1e-300)}
    if wanted.shape[1] > 1:
        scores["agreement"] = float(np.mean(got.argmax(axis=1) == wanted.argmax(axis=1)))
        scores["divergence"] = divergence(got, wanted, float(np.std(wanted)) or 1.0)[0]
    if environment is not None:

        def policy(x: NDArray[np.floating]) -> Array:
            return emulate(chain.program, x, effects=(), threads=threads).outputs

        scores["return"] = float(environment(policy))
    return scores


def _chosen(scores: Mapping[str, Score]) -> str:
    """The best return where an environment gives one; of these the least divergence with no more error than the copy.

    Agreement itself is too coarse to choose by: of 1000 rows it hangs on the few that two candidates answer unlike.
    """
    most = max(score.get("return", 0.0) for score in scores.values())
    left = {name: score for name, score in scores.items() if score.get("return", 0.0) == most}
    least = left.get("copy", min(left.values(), key=lambda score: score["nmse"]))["nmse"]
    close = [name for name, score in left.items() if score["nmse"] <= least]
    return min(close, key=lambda name: left[name].get("divergence", left[name]["nmse"]))
