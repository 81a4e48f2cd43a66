"""What `spikeloom sweep` runs at a point: convert with the point's options, emulate, score."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from spikeloom.ann.graph import Ann
from spikeloom.ann.load import load_ann
from spikeloom.emulation.emulate import emulate
from spikeloom.errors import SpikeloomError
from spikeloom.flows.convert import Conversion, convert
from spikeloom.flows.rows import judged_rows
from spikeloom.flows.validation.scoring import answers, make_scorer, wilson
from spikeloom.flows.validation.validate_files import Samples, read_samples
from spikeloom.profile.catalog import load_profile
from spikeloom.profile.schema import Profile

OF_CONVERT = ("ticks", "objective", "encoding", "gain", "seed")  # keywords of `convert` that a point may set
OF_RUN = ("chip_seed", "trial_seed", "age_s")  # of `emulate`
FILES = ("ann", "inputs", "labels", "calibration")  # only in [validate]
SIZE, PROFILE = "size.", "profile."


@dataclass(frozen=True, eq=False)
class SweepTask:
    """A network and its data; called with a point, it gives one row of figures.

    fixed: keywords that every point shares. Conversions are kept, so that many chips of one program cost one fit.
    """

    ann: Ann
    samples: Samples
    fixed: Mapping[str, Any]
    facts: Mapping[str, Any]  # hashes of the data, for the manifest
    _kept: dict[str, Conversion] = field(default_factory=dict, repr=False)

    identity = "spikeloom sweep of validate"

    def __call__(self, point: Mapping[str, Any]) -> dict[str, Any]:
        options = {**self.fixed, **point}
        conversion = self._conversion(options)
        rows = judged_rows(self.samples.inputs, self.samples.labels, conversion.seen)
        wanted = conversion.ann.predict(rows.inputs)
        scorer = make_scorer(rows.labels, wanted, None)
        how = {name: options[name] for name in OF_RUN if name in options}
        run = emulate(conversion.program, rows.inputs, threads=1, **how)
        ideal = emulate(conversion.program, rows.inputs, threads=1, effects=()) if run.effects else run
        scored, same = scorer.score(run.outputs), int((answers(run.outputs) == answers(wanted)).sum())
        low, high = wilson(same, len(wanted))
        energy = run.energy.total_j
        return {
            "profile_hash": conversion.program.profile.hash,
            "score_name": scorer.name,
            "score": scored.value,
            "score_low": scored.low,
            "score_high": scored.high,
            "score_ann": scorer.score(wanted).value,
            "score_without_imperfections": scorer.score(ideal.outputs).value,
            "agreement": same / len(wanted),
            "agreement_low": low,
            "agreement_high": high,
            "spikes": float(run.events["spikes"].mean()),
            "synaptic_operations": float(run.events["synaptic_operations"].mean()),
            "energy_j": None if energy is None else energy / len(wanted),
            "neurons": conversion.program.n_neurons,
            "cores": conversion.program.n_cores,
        }

    def __getstate__(self) -> dict[str, Any]:
        """Without conversions: each worker makes those it needs."""
        return {**self.__dict__, "_kept": {}}

    def _conversion(self, options: Mapping[str, Any]) -> Conversion:
        """The conversion that these options ask for, made once a process."""
        profile = _profile(options)
        given = {name: options[name] for name in OF_CONVERT if name in options}
        sizes = {
            name.removeprefix(SIZE): int(value) for name, value in options.items() if name.startswith(SIZE)
        }
        key = repr((profile.name, sorted(given.items()), sorted(sizes.items())))
        if key not in self._kept:
            self._kept[key] = convert(
                self.ann,
                profile,
                calibration=self.samples.calibration,
                sizes=sizes or None,
                threads=1,
                **given,
            )
        return self._kept[key]


def read_grid(path: Path) -> tuple[SweepTask, dict[str, list[Any]]]:
    """The task and the grid of a GRID.toml: a table [grid] of lists, a table [validate] of what is fixed.

    Files are found beside the TOML file. Raises SpikeloomError for a file that cannot be read, or an unknown key.
    """
    tables = _read_toml(path)
    fixed, grid = dict(tables.get("validate", {})), dict(tables.get("grid", {}))
    _check_keys(path, fixed, grid)
    files = {name: _beside(path, str(fixed.pop(name))) for name in FILES if name in fixed}
    samples = read_samples(files["inputs"], files.get("labels"), files.get("calibration"))
    ann = load_ann(files["ann"])
    return SweepTask(ann, samples, fixed, _facts(Path(files["ann"]), samples, fixed)), grid


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SpikeloomError(f"file {path}", f"cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SpikeloomError(f"file {path}", f"is not TOML: {error}") from None


def _check_keys(path: Path, fixed: Mapping[str, Any], grid: Mapping[str, Any]) -> None:
    known = ("profile", *OF_CONVERT, *OF_RUN)
    for key in (*fixed, *grid):
        if key not in (*known, *FILES) and not key.startswith((SIZE, PROFILE)):
            raise SpikeloomError(f"file {path}", f"has an unknown key {key!r}",
                                 limit=", ".join((*known, *FILES, f'"{PROFILE}KEY"', f'"{SIZE}LAYER"')))  # fmt: skip
        if key in FILES and key in grid:
            raise SpikeloomError(f"file {path}", f"{key} cannot be an axis", remedy="put it into [validate]")
    missing = [key for key in ("ann", "inputs") if key not in fixed]
    missing += [key for key in ("profile",) if key not in fixed and key not in grid]
    if missing or not grid:
        value = f"{missing[0]} is missing" if missing else "[grid] is missing"
        raise SpikeloomError(
            f"file {path}", value, remedy="[validate] needs ann, inputs and profile; [grid] lists"
        )


def _beside(path: Path, name: str) -> str:
    return str(path.parent / name)


def _profile(options: Mapping[str, Any]) -> Profile:
    override = {key.removeprefix(PROFILE): value for key, value in options.items() if key.startswith(PROFILE)}
    return load_profile(str(options["profile"]), override=override or None)


def _facts(ann: Path, samples: Samples, fixed: Mapping[str, Any]) -> dict[str, Any]:
    """Hashes of the network and the data, and the fixed keywords with their seeds."""
    arrays = {"calibration": samples.calibration, "inputs": samples.inputs, "labels": samples.labels}
    hashes = {name: sha256(np.ascontiguousarray(array).tobytes()).hexdigest()
              for name, array in arrays.items() if array is not None}  # fmt: skip
    return {"ann": sha256(ann.read_bytes()).hexdigest(), **hashes, "fixed": dict(fixed)}
