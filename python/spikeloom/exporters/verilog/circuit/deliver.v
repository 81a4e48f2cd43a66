// DELIVER: reads one SCHED word a clock. An axon with n > 0 spikes then takes one clock to read its AXON word, and for
// each of its runs n times one clock for the header and one for each word of weights. A last clock lets the last
// decision, or the last addition, end.
module deliver #(
    parameter AXONS = 2,
    parameter AXON_BITS = 1,
    parameter COUNT_BITS = 1,
    parameter RUN_BITS = 1,          // address of a run
    parameter RUNS_BITS = 1,         // runs of an axon
    parameter RECEPTOR_BITS = 1,
    parameter WORD_BITS = 1,         // address of an accumulator word
    parameter LENGTH_BITS = 1,       // words of a run
    parameter SYNAPSE_BITS = 1,      // address of a word of weights
    parameter SYNAPSE_WIDTH = 1,     // bits of such a word
    parameter LOAD_ADDRESS_BITS = 16,
    parameter LOAD_BITS = 64
) (
    input  wire                     clk,
    input  wire                     reset,
    input  wire                     active,      // the phase is DELIVER
    output wire                     last,        // this is the last clock of the phase
    // SCHED
    output wire [AXON_BITS-1:0]     read_axon,
    input  wire [COUNT_BITS-1:0]    count,
    output wire                     clear,
    output wire [AXON_BITS-1:0]     clear_axon,
    // accumulators: read in a clock of `read_word`, the weights follow in the next one with `add`
    output wire                     read_word,
    output wire [WORD_BITS-1:0]     word,
    output reg                      add,
    output reg  [RECEPTOR_BITS-1:0] add_receptor,
    output reg  [WORD_BITS-1:0]     add_word,
    output wire [SYNAPSE_WIDTH-1:0] weights,
    // memories, written before the run
    input  wire                     load_axon,
    input  wire                     load_run,
    input  wire                     load_synapse,
    /* verilator lint_off UNUSED */ // the bus is as wide as the widest memory of the core
    input  wire [LOAD_ADDRESS_BITS-1:0] load_address,
    input  wire [LOAD_BITS-1:0]     load_data
    /* verilator lint_on UNUSED */
);
    localparam [1:0] SCAN = 2'd0, HEADER = 2'd1, FIRST = 2'd2, NEXT = 2'd3;
    localparam RUN_WIDTH = RECEPTOR_BITS + WORD_BITS + LENGTH_BITS + SYNAPSE_BITS;
    localparam [AXON_BITS:0] END = AXONS[AXON_BITS:0];
    localparam [AXON_BITS:0] ONE_AXON = 1;
    localparam [COUNT_BITS-1:0] ONE_SPIKE = 1;
    localparam [RUN_BITS-1:0] ONE_RUN = 1;
    localparam [RUNS_BITS-1:0] ONE_OF_RUNS = 1;
    localparam [WORD_BITS-1:0] ONE_WORD = 1;
    localparam [LENGTH_BITS-1:0] ONE_LENGTH = 1;
    localparam [SYNAPSE_BITS-1:0] ONE_SYNAPSE = 1;

    reg  [1:0]              state;
    reg  [AXON_BITS:0]      next;         // the axon to read next
    reg                     looking;      // `count` is that of the axon before it
    reg                     fresh;        // the AXON word has just been read
    reg  [COUNT_BITS-1:0]   spikes, left; // spikes of the axon, and how many of them are left for the current run
    reg  [RUN_BITS-1:0]     run_kept;
    reg  [RUNS_BITS-1:0]    runs_kept;
    reg  [WORD_BITS-1:0]    word_kept;
    reg  [LENGTH_BITS-1:0]  length_kept;
    reg  [SYNAPSE_BITS-1:0] synapse_kept;

    wire [RUN_BITS+RUNS_BITS-1:0] axon_data;
    wire [RUN_WIDTH-1:0]          run_data;

    // The place in the row: from the AXON word at first, then counted on.
    wire [RUN_BITS-1:0]  run = fresh ? axon_data[RUNS_BITS +: RUN_BITS] : run_kept;
    wire [RUNS_BITS-1:0] runs = fresh ? axon_data[0 +: RUNS_BITS] : runs_kept;

    // The place in the run: from the RUN word at first, then counted on.
    wire                     first = state == FIRST;
    wire [RECEPTOR_BITS-1:0] receptor = run_data[WORD_BITS+LENGTH_BITS+SYNAPSE_BITS +: RECEPTOR_BITS];
    wire [LENGTH_BITS-1:0]   length = first ? run_data[SYNAPSE_BITS +: LENGTH_BITS] : length_kept;
    wire [SYNAPSE_BITS-1:0]  synapse = first ? run_data[0 +: SYNAPSE_BITS] : synapse_kept;
    assign word = first ? run_data[LENGTH_BITS+SYNAPSE_BITS +: WORD_BITS] : word_kept;

    // What happens in this clock.
    wire scanning = active && state == SCAN;
    wire found = scanning && looking && count != {COUNT_BITS{1'b0}};
    wire reading = scanning && !found && next != END;
    wire run_ends = read_word && length == ONE_LENGTH;
    wire row_ends = run_ends && left == ONE_SPIKE && runs == ONE_OF_RUNS;
    /* verilator lint_off UNUSED */ // its highest bit is 0
    wire [AXON_BITS:0] looked_at = next - ONE_AXON;
    /* verilator lint_on UNUSED */

    assign last = scanning && !found && !reading;
    assign read_axon = next[AXON_BITS-1:0];
    assign clear = found;
    assign clear_axon = looked_at[AXON_BITS-1:0];
    assign read_word = active && (state == FIRST || state == NEXT);

    always @(posedge clk) begin
        if (reset || !active) begin
            state <= SCAN;
            next <= {(AXON_BITS+1){1'b0}};
            looking <= 1'b0;
            add <= 1'b0;
        end else begin
            case (state)
                SCAN: if (found) state <= HEADER;
                HEADER: state <= FIRST;
                FIRST, NEXT: state <= row_ends ? SCAN : run_ends ? HEADER : NEXT;
            endcase
            if (reading) next <= next + ONE_AXON;
            looking <= reading;
            add <= read_word;
        end
    end

    always @(posedge clk) begin
        fresh <= found;
        if (found) spikes <= count;
        if (found) left <= count;
        if (state == HEADER) begin
            run_kept <= run;
            runs_kept <= runs;
        end
        if (read_word) begin
            length_kept <= length - ONE_LENGTH;
            word_kept <= word + ONE_WORD;
            synapse_kept <= synapse + ONE_SYNAPSE;
            add_receptor <= receptor;
            add_word <= word;
        end
        if (run_ends) begin
            left <= left == ONE_SPIKE ? spikes : left - ONE_SPIKE;
            if (left == ONE_SPIKE) begin
                run_kept <= run + ONE_RUN;
                runs_kept <= runs - ONE_OF_RUNS;
            end
        end
    end

    memory #(.WIDTH(RUN_BITS + RUNS_BITS), .ADDRESS_BITS(AXON_BITS)) axon (
        .clk(clk),
        .write(load_axon), .write_address(load_address[AXON_BITS-1:0]),
        .write_data(load_data[RUN_BITS+RUNS_BITS-1:0]),
        .read(found), .read_address(clear_axon), .read_data(axon_data)
    );
    memory #(.WIDTH(RUN_WIDTH), .ADDRESS_BITS(RUN_BITS)) run_words (
        .clk(clk),
        .write(load_run), .write_address(load_address[RUN_BITS-1:0]), .write_data(load_data[RUN_WIDTH-1:0]),
        .read(state == HEADER), .read_address(run), .read_data(run_data)
    );
    memory #(.WIDTH(SYNAPSE_WIDTH), .ADDRESS_BITS(SYNAPSE_BITS)) synapses (
        .clk(clk),
        .write(load_synapse), .write_address(load_address[SYNAPSE_BITS-1:0]),
        .write_data(load_data[SYNAPSE_WIDTH-1:0]),
        .read(read_word), .read_address(synapse), .read_data(weights)
    );
endmodule
