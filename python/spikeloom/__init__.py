"""Spikeloom: a trained network becomes a chip program, runs on the emulated chip, and agrees with Brian2.

The public names are loaded when first used, so that importing the package costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from spikeloom.errors import (
    AnnError,
    EmulationError,
    FitError,
    NetworkError,
    PlacementError,
    ProfileError,
    ProgramError,
    SpikeloomError,
)

if TYPE_CHECKING:
    from spikeloom.ann.load import load_ann
    from spikeloom.emulation.chip import Chip
    from spikeloom.emulation.emulate import emulate
    from spikeloom.emulation.recording import Recording
    from spikeloom.exporters.export import export
    from spikeloom.fit.problem import LayerFit
    from spikeloom.flows.check_profile import check_profile
    from spikeloom.flows.conversion.smaller.budget import Budget
    from spikeloom.flows.convert import Conversion, convert
    from spikeloom.flows.crosscheck import crosscheck
    from spikeloom.flows.explain import Explanation, explain
    from spikeloom.flows.load_network import load_network
    from spikeloom.flows.sweep import SweepTable, sweep
    from spikeloom.flows.validate import validate
    from spikeloom.network.network import SpikingNetwork
    from spikeloom.network.projection import Convolution
    from spikeloom.placement.place import place
    from spikeloom.profile.catalog import list_profiles, load_profile
    from spikeloom.profile.schema import Profile
    from spikeloom.program.program import ChipProgram
    from spikeloom.program.storage import load_program
    from spikeloom.reference.compare import CrossCheck, Divergence
    from spikeloom.report.validation import Stage, Validation

__all__ = [
    "AnnError",
    "Budget",
    "Chip",
    "ChipProgram",
    "Conversion",
    "Convolution",
    "CrossCheck",
    "Divergence",
    "EmulationError",
    "Explanation",
    "FitError",
    "LayerFit",
    "NetworkError",
    "PlacementError",
    "Profile",
    "ProfileError",
    "ProgramError",
    "Recording",
    "SpikeloomError",
    "SpikingNetwork",
    "Stage",
    "SweepTable",
    "Validation",
    "check_profile",
    "convert",
    "crosscheck",
    "emulate",
    "explain",
    "export",
    "list_profiles",
    "load_ann",
    "load_network",
    "load_profile",
    "load_program",
    "place",
    "sweep",
    "validate",
]

_HOME = {
    "Budget": "flows.conversion.smaller.budget",
    "Chip": "emulation.chip",
    "ChipProgram": "program.program",
    "Conversion": "flows.convert",
    "Convolution": "network.projection",
    "CrossCheck": "reference.compare",
    "Divergence": "reference.compare",
    "Explanation": "flows.explain",
    "LayerFit": "fit.problem",
    "Profile": "profile.schema",
    "Recording": "emulation.recording",
    "SpikingNetwork": "network.network",
    "Stage": "report.validation",
    "SweepTable": "flows.sweep",
    "Validation": "report.validation",
    "check_profile": "flows.check_profile",
    "convert": "flows.convert",
    "crosscheck": "flows.crosscheck",
    "emulate": "emulation.emulate",
    "explain": "flows.explain",
    "export": "exporters.export",
    "list_profiles": "profile.catalog",
    "load_ann": "ann.load",
    "load_network": "flows.load_network",
    "load_profile": "profile.catalog",
    "load_program": "program.storage",
    "place": "placement.place",
    "sweep": "flows.sweep",
    "validate": "flows.validate",
}  # public name -> module below this package

try:
    __version__ = version("spikeloom")
except PackageNotFoundError:  # a source tree that is not installed
    __version__ = "0"


def __getattr__(name: str) -> Any:
    """Load a public name from its module, once."""
    if name not in _HOME:
        raise AttributeError(f"module 'spikeloom' has no attribute {name!r}")
    value = getattr(import_module(f"spikeloom.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
