// The router of a core: five inputs with a FIFO each, in the order local, east, west, north, south. A packet goes along
// x first, then along y, then to the core. Of the inputs whose head wants an output, the first after the one that was
// granted last moves, if the buffer behind that output is not full.
module router #(
    parameter X_BITS = 1,
    parameter Y_BITS = 1,
    parameter WIDTH = 4,             // of a packet, which starts with its core's x and y
    parameter DEPTH = 2,
    parameter ADDRESS_BITS = 1,
    parameter COUNT_BITS = 2
) (
    input  wire                    clk,
    input  wire                    reset,
    input  wire [X_BITS-1:0]       x,           // of this core
    input  wire [Y_BITS-1:0]       y,
    input  wire [4:0]              push,
    input  wire [5*WIDTH-1:0]      push_data,
    output wire [4:0]              full,
    output wire [4:0]              move,        // an output hands over its packet in this clock
    output wire [5*WIDTH-1:0]      move_data,
    input  wire [4:0]              next_full,   // the buffer behind each output
    output wire                    empty,
    output wire [5*COUNT_BITS-1:0] counts
);
    localparam [2:0] LOCAL = 3'd0, EAST = 3'd1, WEST = 3'd2, NORTH = 3'd3, SOUTH = 3'd4;

    wire [4:0]         pop, input_empty;
    wire [5*WIDTH-1:0] heads;
    wire [24:0]        wants, grants;  // output by output, one bit an input

    assign empty = &input_empty;

    genvar side, from;
    generate
        for (side = 0; side < 5; side = side + 1) begin : inputs
            wire [WIDTH-1:0]  head;
            wire [X_BITS-1:0] to_x = head[WIDTH-1 -: X_BITS];
            wire [Y_BITS-1:0] to_y = head[WIDTH-X_BITS-1 -: Y_BITS];
            wire [2:0]        to = to_x > x ? EAST : to_x < x ? WEST : to_y > y ? SOUTH : to_y < y ? NORTH : LOCAL;

            fifo #(.WIDTH(WIDTH), .DEPTH(DEPTH), .ADDRESS_BITS(ADDRESS_BITS), .COUNT_BITS(COUNT_BITS)) buffer (
                .clk(clk), .reset(reset),
                .push(push[side]), .push_data(push_data[side*WIDTH +: WIDTH]),
                .pop(pop[side]), .head(head), .full(full[side]), .empty(input_empty[side]),
                .count(counts[side*COUNT_BITS +: COUNT_BITS])
            );
            assign heads[side*WIDTH +: WIDTH] = head;
            for (from = 0; from < 5; from = from + 1) begin : outputs
                assign wants[from*5 + side] = !input_empty[side] && to == from;
            end
            assign pop[side] = |{grants[20+side], grants[15+side], grants[10+side], grants[5+side], grants[side]};
        end

        for (side = 0; side < 5; side = side + 1) begin : outputs
            reg  [4:0] last;              // the input granted last, one-hot
            wire [4:0] want = wants[side*5 +: 5];
            wire [4:0] after = ~((last - 5'd1) | last);               // the inputs behind it in the order
            wire [4:0] ahead = want & after;
            wire [4:0] among = ahead != 5'd0 ? ahead : want;
            wire [4:0] grant = next_full[side] ? 5'd0 : among & (~among + 5'd1); // the lowest of them
            wire [WIDTH-1:0] data [0:4];

            always @(posedge clk) begin
                if (reset) last <= 5'd1;
                else if (grant != 5'd0) last <= grant;
            end

            for (from = 0; from < 5; from = from + 1) begin : sources
                assign data[from] = heads[from*WIDTH +: WIDTH] & {WIDTH{grant[from]}};
            end
            assign grants[side*5 +: 5] = grant;
            assign move[side] = grant != 5'd0;
            assign move_data[side*WIDTH +: WIDTH] = data[0] | data[1] | data[2] | data[3] | data[4];
        end
    endgenerate
endmodule
