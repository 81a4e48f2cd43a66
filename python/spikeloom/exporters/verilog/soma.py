"""The neuron's data path as a Verilog module: memories, and a pipeline with one stage for each operation."""

from __future__ import annotations

from collections.abc import Iterator

from spikeloom.exporters.verilog.fields import (
    Field,
    accumulator_fields,
    parameter_columns,
    parameter_fields,
    placed,
    state_fields,
    width,
)
from spikeloom.exporters.verilog.numbers import indented
from spikeloom.exporters.verilog.operations import OPERATIONS
from spikeloom.exporters.verilog.ports import PORTS
from spikeloom.exporters.verilog.sizes import Sizes
from spikeloom.exporters.verilog.stage import Spikes, Stage
from spikeloom.exporters.verilog.use import Use
from spikeloom.profile.schema import Profile


def soma_module(profile: Profile, sizes: Sizes) -> str:
    """The text of `soma.v`."""
    body = [line for part in _Soma(profile, sizes).parts() for line in (*part, "")]
    off = "/* verilator lint_off UNUSED */ // bits that a rounding or an overflow rule drops"
    return PORTS.format(name=profile.name) + indented([off, "", *body[:-1]]) + "\nendmodule\n"


class _Soma:
    """Writes the module for one profile. Stage 0 reads; stages 1 to n are the operations; stage n + 1 writes."""

    def __init__(self, profile: Profile, sizes: Sizes) -> None:
        self.profile, self.sizes = profile, sizes
        self.state, self.columns = state_fields(profile), parameter_columns(profile)
        self.params = parameter_fields(profile)
        self.accumulators = accumulator_fields(profile)
        self.fields = {field.name: field for field in (*self.state, *self.params, *self.accumulators)}
        self.use = Use(profile)
        self.last_stage = len(profile.operation) + 1
        self.stages = [self.stage(k) for k in range(1, self.last_stage)]

    def stage(self, number: int) -> Stage:
        """The logic of one operation."""
        entry = self.profile.operation[number - 1]
        raw = {name: wire(number, name) for name in self.use.before[number - 1]}
        stage = Stage(self.profile, number, self.fields, raw)
        if entry.unless is not None:
            stage.acting = stage.logic.is_zero(stage.read(entry.unless))
        OPERATIONS[entry.op](entry, stage)
        if stage.spikes is not None:
            self.spike_bits = stage.bits(stage.spikes.count, self.sizes.spike_bits)
        return stage

    def parts(self) -> Iterator[list[str]]:
        """The parts of the module's body."""
        yield self.control()
        yield from self.memories()
        yield self.first_inputs()
        for stage in self.stages:
            yield self.operation(stage)
        yield self.write_back()

    def control(self) -> list[str]:
        """Who is in which stage, and whether the pipeline moves."""
        last, stages = self.last_stage, range(1, self.last_stage + 1)
        valid, neuron = (", ".join(f"s{k}_{what}" for k in stages) for what in ("valid", "neuron"))
        moves = [f"s{k + 1}_{what} <= s{k}_{what};" for what in ("valid", "neuron") for k in stages[:-1]]
        return [
            "// Stage 0 reads neuron `entering`. No stage moves while the firing stage holds. Neurons that are not",
            "// in use pass like the others, but are not valid: they neither fire nor are written.",
            "localparam [`NEURON_BITS:0] ONE = 1;",
            "localparam [`NEURON_BITS:0] END = `NEURONS;",
            "reg  [`NEURON_BITS:0] entering;",
            f"reg  {valid};",
            f"reg  [{last}:1] passing;  // in which stage the last neuron is",
            f"reg  [`NEURON_BITS-1:0] {neuron};",
            "wire holds;",
            "wire advance = !holds;",
            "wire reads = active && advance;",
            "wire enters = active && entering != END;",
            f"assign last = passing[{last}] && advance;",
            "",
            "always @(posedge clk) begin",
            "    if (reset || !active) begin",
            "        entering <= {(`NEURON_BITS+1){1'b0}};",
            f"        passing <= {last}'b0;",
            *(f"        s{k}_valid <= 1'b0;" for k in stages),
            "    end else if (advance) begin",
            "        if (enters) entering <= entering + ONE;",
            f"        passing <= {{passing[{last - 1}:1], enters && entering + ONE == END}};",
            "        s1_valid <= enters && entering < neurons;",
            *(f"        {move}" for move in moves if "_valid" in move),
            "    end",
            "end",
            "",
            "always @(posedge clk) if (advance) begin",
            "    s1_neuron <= entering[`NEURON_BITS-1:0];",
            *(f"    {move}" for move in moves if "_neuron" in move),
            "end",
        ]

    def memories(self) -> Iterator[list[str]]:
        """STATE and PARAM, where the profile has any, and ACC."""
        if self.state:
            yield self.state_memory()
        for stage, column in self.columns.items():
            yield self.param_column(stage, column)
        lanes = self.sizes.lanes_log2
        yield [
            "// The accumulators: DELIVER reads and adds words, UPDATE reads and writes single lanes.",
            "wire acc_read = read_word || reads;",
            f"wire [`NEURON_BITS-1:0] entering_shifted = entering[`NEURON_BITS-1:0] >> {lanes};",
            f"wire [`NEURON_BITS-1:0] written_shifted = s{self.last_stage}_neuron >> {lanes};",
            "wire [`WORD_BITS-1:0] acc_word = read_word ? word : entering_shifted[`WORD_BITS-1:0];",
            f"wire acc_write = s{self.last_stage}_valid && advance;",
        ]
        for receptor, field in enumerate(self.accumulators):
            yield self.accumulator(receptor, field)

    def state_memory(self) -> list[str]:
        """STATE: read in stage 0, written in the last stage."""
        last = self.last_stage
        return [
            "// STATE.",
            "wire [`STATE_WIDTH-1:0] state_word, state_written;",
            "memory #(.WIDTH(`STATE_WIDTH), .ADDRESS_BITS(`NEURON_BITS)) state (",
            "    .clk(clk),",
            f"    .write(load_state || (s{last}_valid && advance)),",
            f"    .write_address(load_state ? load_address[`NEURON_BITS-1:0] : s{last}_neuron),",
            "    .write_data(load_state ? load_data[`STATE_WIDTH-1:0] : state_written),",
            "    .read(reads), .read_address(entering[`NEURON_BITS-1:0]), .read_data(state_word)",
            ");",
        ]

    def param_column(self, stage: int, column: tuple[Field, ...]) -> list[str]:
        """The parameters that a stage reads first, read while the neuron is in the stage before."""
        name, bits = f"param{stage}", width(column)
        first = next(bit for field, bit in placed(self.params) if field == column[0])
        neuron = "entering[`NEURON_BITS-1:0]" if stage == 1 else f"s{stage - 1}_neuron"
        return [
            f"// PARAM of stage {stage}.",
            f"wire [{bits - 1}:0] {name}_word;",
            f"memory #(.WIDTH({bits}), .ADDRESS_BITS(`NEURON_BITS)) {name} (",
            "    .clk(clk),",
            "    .write(load_param), .write_address(load_address[`NEURON_BITS-1:0]),",
            f"    .write_data(load_data[{first + bits - 1}:{first}]),",
            f"    .read(reads), .read_address({neuron}), .read_data({name}_word)",
            ");",
            *(
                f"wire [{field.bits - 1}:0] {wire(stage, field.name)} = {name}_word[{bit + field.bits - 1}:{bit}];"
                for field, bit in placed(column)
            ),
        ]

    def accumulator(self, receptor: int, field: Field) -> list[str]:
        """The accumulator registers of one receptor, and the lane of the neuron in stage 1."""
        register = self.profile.regs[field.name.split("[")[0]]
        bits, lanes = field.bits, self.sizes.lanes
        number = f"{self.sizes.receptor_bits}'d{receptor}"
        load = "load_address[`WORD_BITS-1:0]"
        read = wire(1, field.name) if field.name in self.use.before[0] else None
        lines = [
            f"wire [{lanes * bits - 1}:0] acc{receptor}_values;",
            f"wire [{bits - 1}:0] acc{receptor}_written;",
        ]
        if read is not None:
            lines.append(f"wire [{bits - 1}:0] {read} = {_lane(f'acc{receptor}_values', bits, lanes)};")
        return [
            *lines,
            "accumulator #(",
            f"    .LANES({lanes}), .WORD_BITS(`WORD_BITS), .NEURON_BITS(`NEURON_BITS), .BITS({bits}),",
            f"    .IS_SIGNED({int(field.is_signed)}), .SATURATE({int(register.overflow == 'saturate')}),"
            " .WEIGHT_BITS(`WEIGHT_BITS)",
            f") acc{receptor} (",
            f"    .clk(clk), .add(add && add_receptor == {number}), .add_word(add_word), .weights(weights),",
            f"    .read(acc_read), .read_word(acc_word), .values(acc{receptor}_values),",
            f"    .write(acc_write), .write_neuron(s{self.last_stage}_neuron),",
            f"    .write_word(written_shifted[`WORD_BITS-1:0]), .write_value(acc{receptor}_written),",
            f"    .load(load_accumulator && load_address[`WORD_BITS +: `RECEPTOR_BITS] == {number}),",
            f"    .load_word({load}), .load_values(load_data[{lanes * bits - 1}:0])",
            ");",
        ]

    def first_inputs(self) -> list[str]:
        """The registers of the neuron in stage 1, as STATE gives them."""
        lines = ["// The neuron in stage 1, as it was read."]
        for field, first in placed(self.state):
            if field.name in self.use.before[0]:
                bits = f"state_word[{first + field.bits - 1}:{first}]"
                lines.append(f"wire [{field.bits - 1}:0] {wire(1, field.name)} = {bits};")
        return lines

    def operation(self, stage: Stage) -> list[str]:
        """One stage: its logic, and the registers behind it."""
        entry, number = self.profile.operation[stage.number - 1], stage.number
        later = {field.name for k, column in self.columns.items() if k > number for field in column}
        kept = [name for name in self.fields if name in self.use.before[number] - later]
        lines = [f"// Stage {number}: {entry.name}, {entry.op}.", *stage.registers, *stage.logic.lines]
        if stage.spikes is not None:
            lines += self.spikes(stage, stage.spikes)
        lines += [f"reg [{self.fields[name].bits - 1}:0] {wire(number + 1, name)};" for name in kept]
        moves = [f"    {wire(number + 1, name)} <= {stage.raw[name]};" for name in kept]
        return [*lines, *(["always @(posedge clk) if (advance) begin", *moves, "end"] if moves else [])]

    def spikes(self, stage: Stage, spikes: Spikes) -> list[str]:
        """What the firing stage tells the output FIFO, and why it holds the pipeline."""
        number, count = stage.number, spikes.count
        fires = f"s{number}_fires"
        lines = [
            f"wire {fires} = s{number}_valid && {count.name} != {count.bits}'sh0;",
            f"assign spike_neuron = s{number}_neuron;",
            f"assign spike_count = {self.spike_bits};",
        ]
        if spikes.again is None:
            return [*lines, f"assign spike = {fires} && !full;", f"assign holds = {fires} && full;"]
        looping = f"s{number}_looping"
        return [
            *lines,
            f"wire s{number}_again = s{number}_valid && {spikes.again};",
            f"assign spike = {fires} && !s{number}_again && !full;",
            f"assign holds = s{number}_again || ({fires} && full);",
            "always @(posedge clk) begin",
            f"    if (reset || !active || advance) {looping} <= 1'b0;",
            f"    else {looping} <= {looping} || s{number}_again;",
            "end",
            f"always @(posedge clk) if (s{number}_again) begin",
            *(f"    {line}" for line in spikes.feedback),
            "end",
        ]

    def written(self, field: Field) -> str:
        """The bits of a register in the write stage: 0 where it is cleared every tick."""
        if field.name not in self.use.before[-1]:
            return f"{field.bits}'b0"
        return wire(self.last_stage, field.name)

    def write_back(self) -> list[str]:
        """The write stage, and what is observed of it."""
        last = self.last_stage
        observed = [self.written(field) for field in reversed((*self.state, *self.accumulators))]
        lines = ["// The write stage."]
        if self.state:
            state = ", ".join(self.written(field) for field in reversed(self.state))
            lines.append(f"assign state_written = {{{state}}};")
        for receptor, field in enumerate(self.accumulators):
            lines.append(f"assign acc{receptor}_written = {self.written(field)};")
        return [
            *lines,
            f"assign write_valid = s{last}_valid;",
            f"assign write_neuron = s{last}_neuron;",
            f"assign write_word = {{{', '.join(observed)}}};",
        ]


def wire(stage: int, name: str) -> str:
    """The bits of a register element or parameter at the start of a stage."""
    return f"s{stage}_x_" + name.replace("[", "_").replace("]", "_")


def _lane(values: str, bits: int, lanes: int, bit: int = -1, first: int = 0) -> str:
    """The lane of the neuron in stage 1, chosen bit by bit of its number from the highest."""
    if lanes == 1:
        return f"{values}[{first * bits + bits - 1}:{first * bits}]"
    half = lanes // 2
    low, high = _lane(values, bits, half, bit, first), _lane(values, bits, half, bit, first + half)
    return f"(s1_neuron[{half.bit_length() - 1}] ? {high} : {low})"
