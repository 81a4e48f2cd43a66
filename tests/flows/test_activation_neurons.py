"""Does every activation reach the chip, on every kind of neuron, and do a unit's neurons add up to it?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from spikeloom.ann.activation import ACTIVATIONS
from spikeloom.ann.graph import Ann, AnnLayer
from spikeloom.emulation.emulate import emulate
from spikeloom.errors import FitError
from spikeloom.flows.conversion.spiking_units import spiking_units
from spikeloom.flows.convert import Conversion, convert
from spikeloom.flows.crosscheck import crosscheck
from spikeloom.flows.explain import explain
from spikeloom.flows.validation.layer_figures import layer_figures
from spikeloom.profile.catalog import load_profile
from tolerances import FLOAT64

NUMBERS = {"leaky_relu": 0.2, "clip": 1.0}
CURVED = ("sigmoid", "tanh")
PAIRS = ("identity", "leaky_relu", "tanh", "sigmoid")


def ann_of(activation: str, last: str = "identity") -> Ann:
    """Three layers, 6-14-10-3."""
    rng, sizes = np.random.default_rng(7), (6, 14, 10, 3)
    kinds = (activation, activation, last)
    layers = tuple(
        AnnLayer(f"fc{k + 1}", 1.3 * rng.normal(size=(n, m)) * np.sqrt(2 / n), rng.normal(size=m) / 10, kinds[k],
                 (n,), (m,), activation_number=NUMBERS.get(kinds[k], 0.0))
        for k, (n, m) in enumerate(zip(sizes, sizes[1:], strict=False))
    )  # fmt: skip
    return Ann(activation, (6,), layers, None, np.arange(6))


def image_ann(activation: str) -> Ann:
    rng, number = np.random.default_rng(1), NUMBERS.get(activation, 0.0)
    layers = (
        AnnLayer("conv1", rng.normal(size=(1, 2, 2, 3)), np.zeros(3), activation, (5, 5, 1), (4, 4, 3),
                 activation_number=number),
        AnnLayer("conv2", rng.normal(size=(3, 2, 2, 2)), np.ones(2), activation, (4, 4, 3), (1, 1, 2),
                 input_pool=(2, 2), activation_number=number),
        AnnLayer("out", rng.normal(size=(2, 2)), np.zeros(2), "identity", (1, 1, 2), (2,)),
    )  # fmt: skip
    return Ann("image", (5, 5, 1), layers, None, np.arange(25))


def samples(count: int) -> np.ndarray:
    return np.random.default_rng(count).uniform(-1.0, 1.0, (count, 6))


def error(conversion: Conversion, candidate: str | None = None) -> float:
    """Of the outputs on rows that were not seen, over their variance."""
    wanted = conversion.ann.predict(samples(151))
    program = conversion.program if candidate is None else conversion.programs[candidate]
    got = emulate(program, samples(151)).outputs
    return float(np.mean((got - wanted) ** 2) / np.mean((wanted - wanted.mean(axis=0)) ** 2))


@pytest.mark.parametrize("neurons", [1, 3])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_neurons_of_a_unit_add_up_to_its_activation(activation: str, neurons: int) -> None:
    for ann, x in (
        (ann_of(activation), samples(40)),
        (image_ann(activation), np.random.default_rng(3).normal(size=(40, 5, 5, 1))),
    ):
        units = spiking_units(ann, x, neurons)
        pairs = 2 if activation in PAIRS else 1
        for k, layer in enumerate(units.layers[:-1]):
            assert layer.output_shape[-1] == pairs * neurons * ann.layers[k].output_shape[-1]
            assert units.answers[k].min() >= 0.0
            behind = units.layers[k + 1].preactivation(units.answers[k])
            if layer.name not in units.ramps:
                assert behind == pytest.approx(units.preactivations[k + 1], rel=FLOAT64, abs=FLOAT64)
        assert np.array_equal(units.answers[-1], ann.predict(x))


@pytest.mark.parametrize("activation", CURVED)
def test_ramps_come_the_closer_to_a_round_activation_the_more_there_are(activation: str) -> None:
    ann, x, apart = ann_of(activation), samples(300), []
    for neurons in (2, 3, 5):
        units = spiking_units(ann, x, neurons)
        assert set(units.ramps) == {"fc1", "fc2"} and units.answers[0].max() <= 1.0
        behind, wanted = units.layers[1].preactivation(units.answers[0]), units.preactivations[1]
        apart.append(float(np.mean((behind - wanted) ** 2) / np.var(wanted)))
    assert apart[0] < 2e-3 and apart[1] < 0.5 * apart[0] and apart[2] < 0.5 * apart[1]
    assert not spiking_units(ann, x, 1).ramps


def test_two_ramps_on_either_side_convert_a_round_activation_better_than_one() -> None:
    one, two = (
        convert(ann_of("tanh"), "ideal", calibration=samples(400), ticks=64, neurons_per_unit=neurons)
        for neurons in (1, 2)
    )
    assert error(two) < 0.3 * error(one)
    figures = layer_figures(two, samples(50), emulate(two.program, samples(50)))
    assert all(layer.correlation > 0.99 for layer in figures)


def test_a_sigmoid_is_one_neuron_where_zeros_stand_beside_it() -> None:
    ann, x = image_ann("sigmoid"), np.random.default_rng(3).normal(size=(20, 5, 5, 1))
    padded = replace(ann.layers[1], input_pool=(1, 1), padding=(0, 0, 1, 1), stride=(4, 4))
    units = spiking_units(replace(ann, layers=(ann.layers[0], padded, ann.layers[2])), x)
    assert [layer.output_shape[-1] for layer in units.layers] == [3, 4, 2]
    behind = units.layers[1].preactivation(units.answers[0])
    assert behind == pytest.approx(units.preactivations[1], rel=FLOAT64, abs=FLOAT64)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_converts_and_agrees_with_the_twin(activation: str) -> None:
    conversion = convert(ann_of(activation), "ideal", calibration=samples(300), ticks=32)
    assert error(conversion) < 0.06
    if activation in CURVED:
        assert error(conversion) < 0.9 * error(conversion, "copy")
    assert all(fit.bound <= fit.loss for fit in conversion.layers)
    pairs = 2 if activation in PAIRS else 1
    assert [(fit.kept.size, fit.neurons_per_node) for fit in conversion.layers] == [
        (14, pairs),
        (10, pairs),
        (3, 1),
    ]
    assert crosscheck(conversion.program, samples(2), reference="twin").equal


@pytest.mark.parametrize(
    ("profile", "override", "activation"),
    [
        ("ideal", {"operation.fire.reset": "zero"}, "relu"),
        ("loihi1", {"params.decay_v.default": 205}, "tanh"),
        ("loihi1", {"params.decay_u.default": 2048}, "relu"),
    ],
)
def test_other_resets_and_leaks_convert(profile: str, override: dict[str, object], activation: str) -> None:
    chip = load_profile(profile, override=override)
    conversion = convert(ann_of(activation), chip, calibration=samples(300), ticks=64)
    assert error(conversion) < 0.1
    assert error(conversion, "fit") < error(conversion, "copy")  # whichever the divergence chooses
    assert crosscheck(conversion.program, samples(1), reference="brian2").equal


@pytest.mark.parametrize("profile", ["xylo_a2", "open_core"])
def test_a_chip_whose_membranes_cannot_be_read_answers_in_spikes(profile: str) -> None:
    chip = load_profile(profile, override={"outputs.readable": ["spikes"]})
    conversion = convert(ann_of("relu"), chip, calibration=samples(300), ticks=32)
    (port,) = conversion.program.outputs
    assert port.read == "spikes"
    assert (port.offset < 0).all()
    assert error(conversion) < 0.1
    assert crosscheck(conversion.program, samples(2), reference="twin").equal


def test_a_limit_of_fan_in_is_obeyed_by_every_layer() -> None:
    chip = load_profile("xylo_a2", override={"limits.fan_in": 8})
    conversion = convert(ann_of("relu"), chip, calibration=samples(300), ticks=32)
    assert all((fit.codes != 0).sum(axis=0).max() <= 8 for fit in conversion.layers)
    assert conversion.layers[1].bound_tag == "relaxed"
    assert error(conversion) < 0.5
    assert explain(ann_of("relu"), chip).fits


def test_a_network_that_ends_in_an_activation_gives_it() -> None:
    ann = ann_of("relu", last="sigmoid")
    conversion = convert(ann, "loihi1", calibration=samples(300), ticks=64)
    assert [fit.name for fit in conversion.layers] == ["fc1", "fc2", "fc3", "fc3_readout"]
    assert error(conversion) < 0.1
    assert emulate(conversion.program, samples(9)).outputs.min() > -0.2


def test_more_neurons_a_unit_err_less_at_few_ticks() -> None:
    errors = []
    for neurons in (1, 4):
        conversion = convert(
            ann_of("sigmoid"), "ideal", calibration=samples(400), ticks=16, neurons_per_unit=neurons
        )
        assert conversion.layers[0].codes.shape[1] == 2 * 14 * neurons
        errors.append(error(conversion))
    assert errors[1] < 0.6 * errors[0]


@pytest.mark.parametrize("neurons", [0, 65, 1.5, True])
def test_a_wrong_number_of_neurons_is_refused(neurons: object) -> None:
    with pytest.raises(FitError, match="neurons_per_unit"):
        convert(ann_of("relu"), "ideal", calibration=samples(20), neurons_per_unit=neurons)  # type: ignore[arg-type]
