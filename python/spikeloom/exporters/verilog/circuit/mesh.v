// COLUMNS x ROWS cores, each with its router, and the barrier. Core c stands at x = c mod COLUMNS, y = c / COLUMNS;
// east is x + 1, south is y + 1.
`include "sizes.vh"
module mesh (
    input  wire                              clk,
    input  wire                              reset,
    output wire                              go,
    // the host: a lane for every core
    input  wire [`CORES-1:0]                 input_pending,
    input  wire [`CORES*`AXON_BITS-1:0]      input_axon,
    input  wire [`CORES*`SPIKE_BITS-1:0]     input_count,
    output wire [`CORES-1:0]                 input_take,
    // memories, written before the run
    input  wire [`CORES-1:0]                 load,
    input  wire [3:0]                        load_memory,
    input  wire [`LOAD_ADDRESS_BITS-1:0]     load_address,
    input  wire [`LOAD_BITS-1:0]             load_data,
    // what is observed, a lane for every core
    output wire [`CORES*2-1:0]                    phase,
    output wire [`CORES-1:0]                      write_valid,
    output wire [`CORES*`NEURON_BITS-1:0]         write_neuron,
    output wire [`CORES*`OBSERVED_WIDTH-1:0]      write_word,
    output wire [`CORES-1:0]                      spike,
    output wire [`CORES*`NEURON_BITS-1:0]         spike_neuron,
    output wire [`CORES*`SPIKE_BITS-1:0]          spike_count,
    output wire [`CORES*`OUTPUT_COUNT_BITS-1:0]   output_count,
    output wire [`CORES*`RECEIVE_COUNT_BITS-1:0]  receive_count,
    output wire [`CORES*5*`ROUTER_COUNT_BITS-1:0] router_counts,
    output wire [`CORES*5-1:0]                    moves
);
    localparam LOCAL = 0, EAST = 1, WEST = 2, NORTH = 3, SOUTH = 4;
    localparam W = `PACKET_WIDTH;

    wire [`CORES-1:0]                   done, arrival_empty, router_empty;
    wire [`CORES*5-1:0]                 full, push, next_full;
    /* verilator lint_off UNUSED */ // nothing leaves over an edge, and a core drops the place that it has
    wire [`CORES*5*`PACKET_WIDTH-1:0]   push_data, move_data;
    /* verilator lint_on UNUSED */

    barrier barrier (.clk(clk), .reset(reset), .quiet(&{done, arrival_empty, router_empty}), .go(go));

    genvar c;
    generate
        for (c = 0; c < `CORES; c = c + 1) begin : place
            localparam X = c % `COLUMNS, Y = c / `COLUMNS;

            core core (
                .clk(clk), .reset(reset), .go(go), .done(done[c]),
                .input_pending(input_pending[c]), .input_axon(input_axon[c*`AXON_BITS +: `AXON_BITS]),
                .input_count(input_count[c*`SPIKE_BITS +: `SPIKE_BITS]), .input_take(input_take[c]),
                .packet_push(push[5*c+LOCAL]), .packet(push_data[(5*c+LOCAL)*W +: W]), .packet_full(full[5*c+LOCAL]),
                .arrival_push(moves[5*c+LOCAL]), .arrival(move_data[(5*c+LOCAL)*W +: `ARRIVAL_WIDTH]),
                .arrival_full(next_full[5*c+LOCAL]), .arrival_empty(arrival_empty[c]),
                .load(load[c]), .load_memory(load_memory), .load_address(load_address), .load_data(load_data),
                .phase(phase[2*c +: 2]), .write_valid(write_valid[c]),
                .write_neuron(write_neuron[c*`NEURON_BITS +: `NEURON_BITS]),
                .write_word(write_word[c*`OBSERVED_WIDTH +: `OBSERVED_WIDTH]),
                .spike(spike[c]), .spike_neuron(spike_neuron[c*`NEURON_BITS +: `NEURON_BITS]),
                .spike_count(spike_count[c*`SPIKE_BITS +: `SPIKE_BITS]),
                .output_count(output_count[c*`OUTPUT_COUNT_BITS +: `OUTPUT_COUNT_BITS]),
                .receive_count(receive_count[c*`RECEIVE_COUNT_BITS +: `RECEIVE_COUNT_BITS])
            );

            router #(
                .X_BITS(`X_BITS), .Y_BITS(`Y_BITS), .WIDTH(W), .DEPTH(`ROUTER_DEPTH),
                .ADDRESS_BITS(`ROUTER_ADDRESS_BITS), .COUNT_BITS(`ROUTER_COUNT_BITS)
            ) router (
                .clk(clk), .reset(reset), .x(X[`X_BITS-1:0]), .y(Y[`Y_BITS-1:0]),
                .push(push[5*c +: 5]), .push_data(push_data[5*c*W +: 5*W]), .full(full[5*c +: 5]),
                .move(moves[5*c +: 5]), .move_data(move_data[5*c*W +: 5*W]), .next_full(next_full[5*c +: 5]),
                .empty(router_empty[c]),
                .counts(router_counts[5*c*`ROUTER_COUNT_BITS +: 5*`ROUTER_COUNT_BITS])
            );

            // What leaves to a side enters the neighbour's input of the opposite side; beyond the edge is nothing.
            if (X + 1 < `COLUMNS) begin : east
                assign next_full[5*c+EAST] = full[5*(c+1)+WEST];
                assign push[5*c+EAST] = moves[5*(c+1)+WEST];
                assign push_data[(5*c+EAST)*W +: W] = move_data[(5*(c+1)+WEST)*W +: W];
            end else begin : east
                assign next_full[5*c+EAST] = 1'b1;
                assign push[5*c+EAST] = 1'b0;
                assign push_data[(5*c+EAST)*W +: W] = {W{1'b0}};
            end
            if (X > 0) begin : west
                assign next_full[5*c+WEST] = full[5*(c-1)+EAST];
                assign push[5*c+WEST] = moves[5*(c-1)+EAST];
                assign push_data[(5*c+WEST)*W +: W] = move_data[(5*(c-1)+EAST)*W +: W];
            end else begin : west
                assign next_full[5*c+WEST] = 1'b1;
                assign push[5*c+WEST] = 1'b0;
                assign push_data[(5*c+WEST)*W +: W] = {W{1'b0}};
            end
            if (Y > 0) begin : north
                assign next_full[5*c+NORTH] = full[5*(c-`COLUMNS)+SOUTH];
                assign push[5*c+NORTH] = moves[5*(c-`COLUMNS)+SOUTH];
                assign push_data[(5*c+NORTH)*W +: W] = move_data[(5*(c-`COLUMNS)+SOUTH)*W +: W];
            end else begin : north
                assign next_full[5*c+NORTH] = 1'b1;
                assign push[5*c+NORTH] = 1'b0;
                assign push_data[(5*c+NORTH)*W +: W] = {W{1'b0}};
            end
            if (Y + 1 < `ROWS) begin : south
                assign next_full[5*c+SOUTH] = full[5*(c+`COLUMNS)+NORTH];
                assign push[5*c+SOUTH] = moves[5*(c+`COLUMNS)+NORTH];
                assign push_data[(5*c+SOUTH)*W +: W] = move_data[(5*(c+`COLUMNS)+NORTH)*W +: W];
            end else begin : south
                assign next_full[5*c+SOUTH] = 1'b1;
                assign push[5*c+SOUTH] = 1'b0;
                assign push_data[(5*c+SOUTH)*W +: W] = {W{1'b0}};
            end
        end
    endgenerate
endmodule
