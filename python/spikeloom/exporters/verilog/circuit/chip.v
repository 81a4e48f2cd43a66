// The chip as it stands on an FPGA: the mesh, and a loader that takes memory words byte by byte. A word is shifted in,
// highest byte first, as {core, memory, address, data} in fields of whole bytes, and written with `load_write`. Reset
// is held while memories are loaded.
`include "sizes.vh"
module chip (
    input  wire                            clk,
    input  wire                            reset,
    input  wire                            load_shift,
    input  wire [7:0]                      load_byte,
    input  wire                            load_write,
    input  wire [`CORES-1:0]               input_pending,
    input  wire [`CORES*`AXON_BITS-1:0]    input_axon,
    input  wire [`CORES*`SPIKE_BITS-1:0]   input_count,
    output wire [`CORES-1:0]               input_take,
    output wire                            go,
    output wire [`CORES-1:0]               spike,
    output wire [`CORES*`NEURON_BITS-1:0]  spike_neuron,
    output wire [`CORES*`SPIKE_BITS-1:0]   spike_count
);
    localparam DATA = (`LOAD_BITS + 7) / 8 * 8;
    localparam ADDRESS = (`LOAD_ADDRESS_BITS + 7) / 8 * 8;
    localparam WIDTH = 16 + ADDRESS + DATA; // core and memory have a byte each

    /* verilator lint_off UNUSED */ // fields fill whole bytes, and not all that can be observed leaves the chip
    reg  [WIDTH-1:0]                              word;
    wire [`CORES*2-1:0]                           phase;
    wire [`CORES-1:0]                             write_valid;
    wire [`CORES*`NEURON_BITS-1:0]                write_neuron;
    wire [`CORES*`OBSERVED_WIDTH-1:0]             write_word;
    wire [`CORES*`OUTPUT_COUNT_BITS-1:0]          output_count;
    wire [`CORES*`RECEIVE_COUNT_BITS-1:0]         receive_count;
    wire [`CORES*5*`ROUTER_COUNT_BITS-1:0]        router_counts;
    wire [`CORES*5-1:0]                           moves;
    /* verilator lint_on UNUSED */
    wire [`CORES-1:0]                             load;

    always @(posedge clk) if (load_shift) word <= {word[WIDTH-9:0], load_byte};

    genvar c;
    generate
        for (c = 0; c < `CORES; c = c + 1) begin : select
            localparam [7:0] CORE = c;
            assign load[c] = load_write && word[WIDTH-1 -: 8] == CORE;
        end
    endgenerate

    mesh mesh (
        .clk(clk), .reset(reset), .go(go),
        .input_pending(input_pending), .input_axon(input_axon), .input_count(input_count),
        .input_take(input_take),
        .load(load), .load_memory(word[ADDRESS+DATA +: 4]), .load_address(word[DATA +: `LOAD_ADDRESS_BITS]),
        .load_data(word[0 +: `LOAD_BITS]),
        .phase(phase), .write_valid(write_valid), .write_neuron(write_neuron), .write_word(write_word),
        .spike(spike), .spike_neuron(spike_neuron), .spike_count(spike_count),
        .output_count(output_count), .receive_count(receive_count), .router_counts(router_counts), .moves(moves)
    );
endmodule
