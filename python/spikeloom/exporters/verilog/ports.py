"""The head of the neuron module, the same for every operation list."""

PORTS = """\
// The neurons of a core: STATE, PARAM and ACC, and a pipeline that takes one neuron a clock. Its stages read the
// neuron, run one operation each in the order of the profile, and write the neuron back. Written for the operation
// list of the profile {name}.
`include "sizes.vh"
module soma (
    input  wire                        clk,
    input  wire                        reset,
    input  wire                        active,        // the phase is UPDATE
    input  wire [`NEURON_BITS:0]       neurons,       // in use
    output wire                        last,          // this is the last clock of the phase
    // DELIVER adds words of weights
    input  wire                        read_word,
    input  wire [`WORD_BITS-1:0]       word,
    input  wire                        add,
    input  wire [`RECEPTOR_BITS-1:0]   add_receptor,
    input  wire [`WORD_BITS-1:0]       add_word,
    input  wire [`SYNAPSE_WIDTH-1:0]   weights,
    // spikes into the output FIFO
    output wire                        spike,
    output wire [`NEURON_BITS-1:0]     spike_neuron,
    output wire [`SPIKE_BITS-1:0]      spike_count,
    input  wire                        full,
    // the neuron in the write stage, and what is written
    output wire                        write_valid,
    output wire [`NEURON_BITS-1:0]     write_neuron,
    output wire [`OBSERVED_WIDTH-1:0]  write_word,
    // memories, written before the run
    input  wire                        load_accumulator,
    input  wire                        load_state,
    input  wire                        load_param,
    /* verilator lint_off UNUSED */ // the bus is as wide as the widest memory of the core
    input  wire [`LOAD_ADDRESS_BITS-1:0] load_address,
    input  wire [`LOAD_BITS-1:0]       load_data
    /* verilator lint_on UNUSED */
);
"""
