"""Are the metrics of a program equal to what NeuroBench itself gives for the same network in torch?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from spikeloom.flows.validation.pictures import trace
from spikeloom.network.network import SpikingNetwork
from spikeloom.placement.place import place
from spikeloom.program.program import ChipProgram
from spikeloom.report.metrics import footprint_parts

torch: Any = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("neurobench", reason="neurobench is not installed")
snn: Any = pytest.importorskip("snntorch", reason="snntorch is not installed")

TICKS, SAMPLES, INPUTS, HIDDEN, OUTPUTS = 20, 6, 7, 12, 5
THRESHOLD = 1.5


def _weights() -> tuple[np.ndarray, np.ndarray]:
    """Multiples of 1/8, so that float32 and float64 add up alike and no sum meets the threshold; a third are 0."""
    rng = np.random.default_rng(12)
    first, second = (
        rng.integers(-6, 12, size) / 8 + 1 / 64 for size in ((INPUTS, HIDDEN), (HIDDEN, OUTPUTS))
    )
    first[rng.random(first.shape) < 0.3] = 0.0
    second[rng.random(second.shape) < 0.3] = 0.0
    return first, second


def _program() -> ChipProgram:
    network = SpikingNetwork("ideal")
    lines = network.input("lines", INPUTS)
    sizes = {"hidden": HIDDEN, "output": OUTPUTS}
    hidden, output = (network.population(name, size, vth=THRESHOLD) for name, size in sizes.items())
    for source, target, weights in zip((lines, hidden), (hidden, output), _weights(), strict=True):
        network.connect(source, target, weights)
    network.output(output)
    return place(network, ticks=TICKS)


def _network() -> Any:
    """The same in torch: a neuron of snntorch without leak; the second layer hears the first one a tick later."""

    class Network(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            made = [torch.nn.Linear(*weights.shape, bias=False) for weights in _weights()]
            for layer, weights in zip(made, _weights(), strict=True):
                layer.weight.data = torch.tensor(weights.T, dtype=torch.float32)
            self.first, self.second = made
            self.hidden, self.output = (
                snn.Leaky(beta=1.0, threshold=THRESHOLD, reset_mechanism="subtract", init_hidden=True)
                for _ in range(2)
            )

        def forward(self, batch: Any) -> Any:
            for neurons in (self.hidden, self.output):
                neurons.reset_mem()
            sent, out = torch.zeros(len(batch), HIDDEN), []
            for tick in range(batch.shape[1]):
                heard, sent = sent, self.hidden(self.first(batch[:, tick]))
                out.append(self.output(self.second(heard)))
            return torch.stack(out, dim=1)

    return Network()


def _spikes() -> np.ndarray:
    """(samples, ticks, lines), with silent ticks for the program's depth at the end of torch's run."""
    return (np.random.default_rng(3).random((SAMPLES, TICKS, INPUTS)) < 0.4).astype(np.uint8)


def test_the_metrics_are_those_of_neurobench() -> None:
    from neurobench.metrics.static import ConnectionSparsity, Footprint
    from neurobench.metrics.workload import ActivationSparsity, SynapticOperations
    from neurobench.models import TorchModel

    program, net = _program(), _network()
    traced = trace(program, _spikes())
    ours = traced.metrics()

    batch = torch.zeros(SAMPLES, program.run_ticks, INPUTS)
    batch[:, :TICKS] = torch.tensor(_spikes(), dtype=torch.float32)
    model = TorchModel(net)
    model.add_activation_module(snn.SpikingNeuron)
    model.register_hooks()
    with torch.no_grad():
        out = model(batch)
    operations = SynapticOperations()(model, out, (batch, None))

    assert int(out.sum()) == int(traced.neuron_spikes[:, HIDDEN:].sum()) > 0
    assert ours["effective_acs"] == float(operations["Effective_ACs"]) > 0
    assert ours["effective_macs"] == float(operations["Effective_MACs"]) == 0
    assert ours["dense"] == float(operations["Dense"])
    assert ours["activation_sparsity"] == ActivationSparsity()(model, out, (batch, None))
    assert round(ours["connection_sparsity"] or 0.0, 4) == ConnectionSparsity()(model)
    weights = TorchModel(torch.nn.Sequential(net.first, net.second))
    assert footprint_parts(program)["weights"] == Footprint()(weights)
