// A first-in first-out buffer. It is full or empty by its count at the start of a clock: what is pushed in one clock
// is at the head in the next at the earliest, and a full buffer takes nothing even while it is popped.
// Whoever pushes looks at `full`, whoever pops looks at `empty`.
module fifo #(
    parameter WIDTH = 8,
    parameter DEPTH = 2,
    parameter ADDRESS_BITS = 1,
    parameter COUNT_BITS = 2
) (
    input  wire                  clk,
    input  wire                  reset,
    input  wire                  push,
    input  wire [WIDTH-1:0]      push_data,
    input  wire                  pop,
    output wire [WIDTH-1:0]      head,
    output wire                  full,
    output wire                  empty,
    output reg  [COUNT_BITS-1:0] count
);
    localparam [COUNT_BITS-1:0]   MOST = DEPTH[COUNT_BITS-1:0];
    localparam [COUNT_BITS-1:0]   ONE = 1;
    localparam [ADDRESS_BITS-1:0] LAST = MOST[ADDRESS_BITS-1:0] - {{(ADDRESS_BITS-1){1'b0}}, 1'b1};
    localparam [ADDRESS_BITS-1:0] STEP = 1;

    reg  [ADDRESS_BITS-1:0] first, free;    // where the head is, where the next entry goes
    reg                     bypass;         // the head was pushed in the clock before: the memory does not show it yet
    reg  [WIDTH-1:0]        pushed;
    wire [WIDTH-1:0]        stored;
    wire [ADDRESS_BITS-1:0] first_next = !pop ? first : first == LAST ? {ADDRESS_BITS{1'b0}} : first + STEP;

    assign full = count == MOST;
    assign empty = count == {COUNT_BITS{1'b0}};
    assign head = bypass ? pushed : stored;

    always @(posedge clk) begin
        if (reset) begin
            first <= {ADDRESS_BITS{1'b0}};
            free <= {ADDRESS_BITS{1'b0}};
            count <= {COUNT_BITS{1'b0}};
            bypass <= 1'b0;
        end else begin
            first <= first_next;
            if (push) free <= free == LAST ? {ADDRESS_BITS{1'b0}} : free + STEP;
            if (push && !pop) count <= count + ONE;
            if (pop && !push) count <= count - ONE;
            bypass <= push && free == first_next;
        end
    end

    always @(posedge clk) pushed <= push_data;

    memory #(.WIDTH(WIDTH), .ADDRESS_BITS(ADDRESS_BITS)) entries (
        .clk(clk),
        .write(push), .write_address(free), .write_data(push_data),
        .read(1'b1), .read_address(first_next), .read_data(stored)
    );
endmodule
