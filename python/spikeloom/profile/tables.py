"""The tables of a hardware profile: one class a table, one documented field a key.

Units stand in the key (`_s`, `_j`, `_m`, `_m2`, `_lsb`, `_ticks`). An absent limit is no limit, an absent
cost is "not modelled"; 0 is never written for either. The JSON schema and the field table in `hw_profiles/`
are written from these classes.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Count = Annotated[int, Field(ge=1)]
Seconds = Annotated[float, Field(gt=0)]
Kind = Literal["digital", "analog"]
Status = Literal["exec", "code", "paper", "secondary", "derived", "unverified"]


class Table(BaseModel):
    """A table of the profile: frozen, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True)


class Fpga(Table):
    """What a small circuit of this profile takes of an FPGA; the source says which one, and how it was found."""

    device: str
    """Name of the FPGA."""
    neurons: Count
    """Neurons of the circuit's one core."""
    logic_cells: Count
    """Logic cells that it takes."""
    block_rams: Count
    """Blocks of memory that it takes."""
    clock_hz: Annotated[float, Field(gt=0)]
    """The fastest clock that its longest path allows."""


class Chip(Table):
    """Who the chip is and what "exact" means for it."""

    id: str
    """Equals the file name without its ending."""
    name: str
    """The name its makers use."""
    synapse: Kind
    """Digital synapses hold integer codes; analog ones hold real values."""
    soma: Kind
    """A digital soma computes in integers, an analog one in binary64."""
    reference: str
    """What the emulation is exact to: a tool with its version, or a document."""
    fidelity: Literal["bit_exact", "event_exact", "statistical", "nominal"]
    """How closely the emulation follows that reference."""
    process_m: Annotated[float, Field(gt=0)] | None = None
    """Feature size of the silicon."""
    area_m2: Annotated[float, Field(gt=0)] | None = None
    """Area of the die."""
    fpga: Fpga | None = None


class Memory(Table):
    """Cost model of packed synapse memory of one core."""

    name: str
    """Name of the memory."""
    bits: Count
    """Bits of one core."""
    align_bits: Count = 1
    """Each packed block starts at a multiple of this."""
    block_synapses: Count | None = None
    """Synapses of one block at most."""
    block_header_bits: Annotated[int, Field(ge=0)] = 0
    """Bits in front of every block."""
    index_bits: tuple[int, ...] = (0,)
    """Widths that a target index may take."""
    weight_bits: tuple[int, ...] = ()
    """Widths that a weight may take."""


class SharedTable(Table):
    """A table of parameter sets that the neurons or synapses of one core share."""

    name: str
    """The scope that names this table."""
    max: Count
    """Distinct sets on one core."""
    fields: tuple[str, ...]
    """The parameters or shared weight values of one set."""


class Limits(Table):
    """Hard bounds of placement and fit."""

    cores: Count | None = None
    """Cores of the chip."""
    neurons_per_core: Count | None = None
    """Neurons of one core."""
    inputs: Count | None = None
    """Input lines of the chip."""
    outputs: Count | None = None
    """Readable neurons of the chip."""
    hidden: Count | None = None
    """Neurons of the chip that are not read."""
    recurrent_synapses: Count | None = None
    """Synapses of the chip between neurons that are not read."""
    in_axons_per_core: Count | None = None
    """Axons arriving at one core."""
    out_axons_per_core: Count | None = None
    """Axons leaving one core."""
    dests_per_neuron: Count | None = None
    """Axons that one neuron drives."""
    fan_in: Count | None = None
    """Synapses onto one neuron."""
    fan_out: Count | None = None
    """Synapses of one neuron."""
    memory: tuple[Memory, ...] = ()
    """Packed synapse memories."""
    shared_table: tuple[SharedTable, ...] = ()
    """Tables that neurons of a core share."""


class WeightMode(Table):
    """One alternative range of the weight code."""

    name: str
    """Name of the mode."""
    min: int
    """Smallest code at full precision."""
    max: int
    """Largest code at full precision."""
    sign_bit: bool = False
    """One of the weight's bits holds the sign, so the step of the codes doubles."""


class SharedValue(Table):
    """A value that a group of synapses has in common."""

    name: str
    """Name of the value."""
    scope: Literal["synapse_format", "matrix", "group", "axon"]
    """What shares it; group: all from inputs, onto what is read, or between the others; axon: one source's."""
    min: int
    """Smallest value."""
    max: int
    """Largest value."""
    default: int = 0
    """Value where a projection names none."""


class Weights(Table):
    """What the solver may write into a synapse.

    formula float: the weight itself. int: m. int_shift: m 2^shift.
    mant_exp: clip(fl(m 2^w_exp) 2^unit_shift, -clip, clip). type_table: where the bit m is set, the target's
    parameter `table[type]`, type being that of the axon. sign_pre: m, and all codes that a source neuron or input
    line reads have one sign. row_sign: m, where the sign is one of the row, so that a signed weight takes two
    rows and the magnitude has all bits. palette: unit times the sum of the shared values iwB of all bits B set in m.
    The codes m of a mode are the multiples of 2^(mantissa_bits - bits + sign_bit) from its min to its max.
    """

    formula: Literal["float", "int", "int_shift", "mant_exp", "type_table", "sign_pre", "row_sign", "palette"]
    """How a code becomes an effective weight."""
    bits: Annotated[int, Field(ge=1, le=16)] | None = None
    """Bits of a weight code; absent for `float`."""
    mantissa_bits: Annotated[int, Field(ge=1, le=16)] | None = None
    """Bits of the code at full precision; fewer `bits` drop low-order bits. Absent: equal to `bits`."""
    unit_shift: Annotated[int, Field(ge=0, le=24)] = 0
    """Power of two of the weight unit (`mant_exp`)."""
    clip: Count | None = None
    """Bound of the magnitude of an effective weight (`mant_exp`)."""
    unit: Annotated[float, Field(gt=0)] = 1.0
    """Worth of one unit of the shared values (`palette`)."""
    limit: Annotated[float, Field(gt=0)] | None = None
    """Largest magnitude of a weight (`float`); absent: none."""
    table: tuple[str, ...] = ()
    """Parameter of the target neuron that an axon of each type adds (`type_table`)."""
    sign_scope: Literal["synapse", "synapse_format", "source"] = "synapse"
    """What a sign belongs to."""
    mode: tuple[WeightMode, ...] = ()
    """Alternative code ranges, one for a group; the first that holds all codes of a projection is taken."""
    shared: tuple[SharedValue, ...] = ()
    """Values common to a group of synapses."""


class SpikesMax(Table):
    """Spikes on one axon in one tick that count at most, by the group of the axon; absent: all of them."""

    input: Count | None = None
    """On an axon that an input line drives."""
    recurrent: Count | None = None
    """On any other axon."""


class Delivery(Table):
    """How arriving spikes reach the registers."""

    into: tuple[str, ...]
    """Accumulator of each receptor."""
    order: tuple[str, ...] = ("input", "recurrent")
    """Order of the groups of axons, where it matters."""
    merge: Literal["count", "or"] = "count"
    """Spikes due on one axon in one tick add up, or count once."""
    spikes_max: SpikesMax = SpikesMax()
    """Limit of the spikes on one axon in one tick."""
    accumulate: Literal["sum", "each"] = "sum"
    """`sum`: the exact sum of the tick, then one write through the register's overflow rule.

    each: the rule after every addition; by group of `order`, axon, stored run and target, and n spikes are n
    equal additions. Needs `delay_scope = "none"` and a digital soma.
    """


class Param(Table):
    """A programmable parameter; the program stores the codes that the chip loads.

    format int: m; shift: m 2^shift; mant_exp: m 2^e, e a second code named NAME_exp; pow2_minus1: 2^m - 1;
    neg_pow2_plus1: 1 - 2^m; pow2_9_plus_2e_minus1: 2^(9 + 2m) - 1; float: the value itself (analog soma);
    steps: a time in seconds, fl(m / dt_s + 1/2) steps (analog soma).
    """

    format: Literal[
        "int", "shift", "mant_exp", "pow2_minus1", "neg_pow2_plus1", "pow2_9_plus_2e_minus1", "float", "steps"
    ] = "int"
    """How a code becomes an effective value."""
    min: float | None = None
    """Smallest code; an integer except for `float`."""
    max: float | None = None
    """Largest code; an integer except for `float`."""
    shift: Annotated[int, Field(ge=0, le=32)] = 0
    """The s of format `shift`."""
    exp_max: Annotated[int, Field(ge=0, le=16)] = 0
    """Largest e of format `mant_exp`."""
    scope: str = "neuron"
    """"neuron", "population", "core", or the name of a shared table."""
    default: float | None = None
    """Code where the network gives none; absent: the network must give it."""

    @property
    def is_real(self) -> bool:
        """True where the code is a real number rather than an integer."""
        return self.format in ("float", "steps")


class Register(Table):
    """A register of every neuron. Absent `bits`: binary64 (analog soma)."""

    bits: Annotated[int, Field(ge=1, le=32)] | None = None
    """Width, sign included."""
    signed: bool = True
    """Two's complement, or 0 to 2^bits - 1."""
    overflow: Literal["wrap", "saturate", "wrap_lava24", "trap"] | None = None
    """What a write outside the width does; absent on an analog soma only.

    wrap_lava24: 2^bits is taken off above 2^(bits-1), then added at or below -2^(bits-1), once each.
    """
    clear: Literal["tick", "never"] = "never"
    """`tick`: set to 0 after the operation list."""
    count: Count = 1
    """Elements of a vector register, written name[0], name[1], ...; 1 is a plain register."""


class RegisterState(Table):
    """How a register starts."""

    init: Literal[0, "free"] = 0
    """"free": the program may set it neuron by neuron."""
    between_samples: Literal["load", "zero", "keep"] = "zero"
    """What happens to it between two samples."""


class Outputs(Table):
    """What can be read out."""

    readable: tuple[str, ...] = ("spikes",)
    """"spikes", or names of registers."""


class Bias(Table):
    """How a neuron gets a constant input."""

    kind: Literal["register", "axon", "none"]
    """`register`: a parameter of the neuron. `axon`: synapses from lines that always send."""
    param: str | None = None
    """That parameter."""


class Source(Table):
    """Where a number comes from."""

    source: str
    """Document or program, with its version."""
    status: Status
    """exec: executed against it; code: read in code; paper; secondary; derived; unverified."""
