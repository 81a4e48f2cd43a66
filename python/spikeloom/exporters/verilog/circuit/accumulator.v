// ACC of one receptor: an accumulator register of every neuron, LANES of them in a word. DELIVER reads a word and adds
// a word of weights to it through the register's overflow rule in the next clock; UPDATE reads and writes one lane.
module accumulator #(
    parameter LANES = 1,
    parameter WORD_BITS = 1,
    parameter NEURON_BITS = 1,
    parameter BITS = 1,              // of the register
    parameter IS_SIGNED = 1,
    parameter SATURATE = 0,          // else wrap
    parameter WEIGHT_BITS = 1        // signed
) (
    input  wire                         clk,
    input  wire                         add,        // in the clock after the word was read
    input  wire [WORD_BITS-1:0]         add_word,
    input  wire [LANES*WEIGHT_BITS-1:0] weights,
    input  wire                         read,
    input  wire [WORD_BITS-1:0]         read_word,
    output wire [LANES*BITS-1:0]        values,     // the word that was read
    input  wire                         write,      // one neuron's register
    input  wire [NEURON_BITS-1:0]       write_neuron,
    input  wire [WORD_BITS-1:0]         write_word,
    input  wire [BITS-1:0]              write_value,
    input  wire                         load,
    input  wire [WORD_BITS-1:0]         load_word,
    input  wire [LANES*BITS-1:0]        load_values
);
    localparam SUM_BITS = (BITS > WEIGHT_BITS ? BITS : WEIGHT_BITS) + 2; // any register and weight, and their sum
    localparam [NEURON_BITS:0] LANES_MINUS_ONE = LANES[NEURON_BITS:0] - {{NEURON_BITS{1'b0}}, 1'b1};
    localparam signed [SUM_BITS-1:0] HIGHEST = IS_SIGNED != 0
        ? {{(SUM_BITS-BITS+1){1'b0}}, {(BITS-1){1'b1}}} : {{(SUM_BITS-BITS){1'b0}}, {BITS{1'b1}}};
    localparam signed [SUM_BITS-1:0] LOWEST = IS_SIGNED != 0
        ? {{(SUM_BITS-BITS+1){1'b1}}, {(BITS-1){1'b0}}} : {SUM_BITS{1'b0}};

    genvar lane;
    generate
        for (lane = 0; lane < LANES; lane = lane + 1) begin : lanes
            localparam [NEURON_BITS:0] LANE = lane[NEURON_BITS:0];
            wire [BITS-1:0]             stored;
            wire [WEIGHT_BITS-1:0]      weight = weights[lane*WEIGHT_BITS +: WEIGHT_BITS];
            wire                        negative = IS_SIGNED != 0 ? stored[BITS-1] : 1'b0;
            wire signed [SUM_BITS-1:0]  value = {{(SUM_BITS-BITS){negative}}, stored};
            wire signed [SUM_BITS-1:0]  addend = {{(SUM_BITS-WEIGHT_BITS){weight[WEIGHT_BITS-1]}}, weight};
            wire signed [SUM_BITS-1:0]  sum = value + addend;
            wire signed [SUM_BITS-1:0]  limited = sum > HIGHEST ? HIGHEST : sum < LOWEST ? LOWEST : sum;
            /* verilator lint_off UNUSED */ // what a wrap drops
            wire [SUM_BITS-1:0]         ruled = SATURATE != 0 ? limited : sum;
            /* verilator lint_on UNUSED */
            wire                        chosen = ({1'b0, write_neuron} & LANES_MINUS_ONE) == LANE;

            memory #(.WIDTH(BITS), .ADDRESS_BITS(WORD_BITS)) registers (
                .clk(clk),
                .write(load || add || (write && chosen)),
                .write_address(load ? load_word : add ? add_word : write_word),
                .write_data(load ? load_values[lane*BITS +: BITS] : add ? ruled[BITS-1:0] : write_value),
                .read(read), .read_address(read_word), .read_data(stored)
            );
            assign values[lane*BITS +: BITS] = stored;
        end
    endgenerate
endmodule
