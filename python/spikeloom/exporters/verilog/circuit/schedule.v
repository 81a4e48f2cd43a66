// SCHED: the spikes that wait for each axon in each slot of the ring of ticks. `add` puts n spikes on an axon, `ahead`
// ticks from now: it reads in its clock and writes in the next one, in which `adding` is high and no other add may
// start. DELIVER reads the counts of the current tick and sets them to 0.
module schedule #(
    parameter SLOT_BITS = 1,
    parameter AXON_BITS = 1,
    parameter COUNT_BITS = 1,
    parameter FIRST_MAX = 1,       // spikes that count at most on an axon, by its group
    parameter SECOND_MAX = 1,
    parameter SPIKE_BITS = 1,
    parameter MERGE_OR = 0
) (
    input  wire                  clk,
    input  wire                  reset,
    input  wire                  go,
    input  wire                  add,
    input  wire [SLOT_BITS-1:0]  ahead,
    input  wire                  in_first,   // the axon's group
    input  wire [AXON_BITS-1:0]  add_axon,
    input  wire [SPIKE_BITS-1:0] add_count,
    output reg                   adding,
    input  wire                  clear,
    input  wire [AXON_BITS-1:0]  clear_axon,
    input  wire [AXON_BITS-1:0]  read_axon,
    output wire [COUNT_BITS-1:0] count,
    input  wire                  load,
    input  wire [SLOT_BITS+AXON_BITS-1:0] load_address,
    input  wire [COUNT_BITS-1:0] load_count
);
    // Wide enough for any sum of a stored and an arriving count.
    localparam SUM_BITS = (COUNT_BITS > SPIKE_BITS ? COUNT_BITS : SPIKE_BITS) + 1;
    localparam [SUM_BITS-1:0] ONE = 1;
    localparam [SUM_BITS-1:0] MOST_FIRST = MERGE_OR != 0 ? ONE : FIRST_MAX[SUM_BITS-1:0];
    localparam [SUM_BITS-1:0] MOST_SECOND = MERGE_OR != 0 ? ONE : SECOND_MAX[SUM_BITS-1:0];
    localparam [SLOT_BITS-1:0] STEP = 1;

    reg  [SLOT_BITS-1:0]           slot;
    reg  [SLOT_BITS+AXON_BITS-1:0] add_address;
    reg  [SPIKE_BITS-1:0]          arriving;
    reg                            arriving_in_first;
    wire [SLOT_BITS-1:0]           due = slot + ahead;
    wire [SUM_BITS-1:0]            sum = {{(SUM_BITS-COUNT_BITS){1'b0}}, count}
                                       + {{(SUM_BITS-SPIKE_BITS){1'b0}}, arriving};
    wire [SUM_BITS-1:0]            most = arriving_in_first ? MOST_FIRST : MOST_SECOND;
    /* verilator lint_off UNUSED */ // its upper bits are 0
    wire [SUM_BITS-1:0]            limited = sum > most ? most : sum;
    /* verilator lint_on UNUSED */

    always @(posedge clk) begin
        if (reset) begin
            slot <= {SLOT_BITS{1'b0}};
            adding <= 1'b0;
        end else begin
            if (go) slot <= slot + STEP;
            adding <= add;
        end
    end

    always @(posedge clk) begin
        add_address <= {due, add_axon};
        arriving <= add_count;
        arriving_in_first <= in_first;
    end

    memory #(.WIDTH(COUNT_BITS), .ADDRESS_BITS(SLOT_BITS + AXON_BITS)) counts (
        .clk(clk),
        .write(load || adding || clear),
        .write_address(load ? load_address : adding ? add_address : {slot, clear_axon}),
        .write_data(load ? load_count : adding ? limited[COUNT_BITS-1:0] : {COUNT_BITS{1'b0}}),
        .read(1'b1), .read_address(add ? {due, add_axon} : {slot, read_axon}), .read_data(count)
    );
endmodule
