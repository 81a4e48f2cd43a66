// SEND: turns the spikes of the output FIFO into packets. A popped spike takes one clock, in which its ROUTE head is
// read; every destination one clock to read its ROUTE word, and then as many as the packet waits for the router.
module send #(
    parameter NEURON_BITS = 1,
    parameter SPIKE_BITS = 1,
    parameter ROUTE_BITS = 1,        // address of a destination
    parameter FAN_BITS = 1,          // destinations of a neuron
    parameter ROUTE_WIDTH = 1,       // core x, core y, axon, delay
    parameter LOAD_ADDRESS_BITS = 16,
    parameter LOAD_BITS = 64
) (
    input  wire                            clk,
    input  wire                            reset,
    // output FIFO
    input  wire                            empty,
    input  wire [NEURON_BITS-1:0]          neuron,
    input  wire [SPIKE_BITS-1:0]           spikes,
    output wire                            pop,
    output wire                            idle,
    // the router's local input
    output wire                            take,        // the packet is taken in this clock
    output wire [ROUTE_WIDTH+SPIKE_BITS-1:0] packet,
    input  wire                            full,
    // memories, written before the run
    input  wire                            load_head,
    input  wire                            load_route,
    /* verilator lint_off UNUSED */ // the bus is as wide as the widest memory of the core
    input  wire [LOAD_ADDRESS_BITS-1:0]    load_address,
    input  wire [LOAD_BITS-1:0]            load_data
    /* verilator lint_on UNUSED */
);
    localparam [1:0] WAIT = 2'd0, READ = 2'd1, OFFER = 2'd2;
    localparam [FAN_BITS-1:0] ONE_LEFT = 1;
    localparam [ROUTE_BITS-1:0] ONE_ROUTE = 1;

    reg  [1:0]            state;
    reg                   fresh;       // the ROUTE head has just been read
    reg  [SPIKE_BITS-1:0] spikes_kept;
    reg  [ROUTE_BITS-1:0] route_kept;
    reg  [FAN_BITS-1:0]   left_kept;

    wire [ROUTE_BITS+FAN_BITS-1:0] head;
    wire [ROUTE_WIDTH-1:0]         destination;
    wire [ROUTE_BITS-1:0]          route = fresh ? head[FAN_BITS +: ROUTE_BITS] : route_kept;
    wire [FAN_BITS-1:0]            left = fresh ? head[0 +: FAN_BITS] : left_kept;
    wire                           has_route = left != {FAN_BITS{1'b0}};
    wire                           reading = state == READ && has_route;

    // A neuron without routes is done with the clock in which it was popped.
    assign idle = state == WAIT || (state == READ && !has_route);
    assign pop = idle && !empty;
    assign take = state == OFFER && !full;
    assign packet = {destination, spikes_kept};

    always @(posedge clk) begin
        if (reset) state <= WAIT;
        else if (pop) state <= READ;
        else if (reading) state <= OFFER;
        else if (idle) state <= WAIT;
        else if (take) state <= left_kept == {FAN_BITS{1'b0}} ? WAIT : READ;
    end

    always @(posedge clk) begin
        fresh <= pop;
        if (pop) spikes_kept <= spikes;
        if (reading) begin
            route_kept <= route + ONE_ROUTE;
            left_kept <= left - ONE_LEFT;
        end
    end

    memory #(.WIDTH(ROUTE_BITS + FAN_BITS), .ADDRESS_BITS(NEURON_BITS)) heads (
        .clk(clk),
        .write(load_head), .write_address(load_address[NEURON_BITS-1:0]),
        .write_data(load_data[ROUTE_BITS+FAN_BITS-1:0]),
        .read(pop), .read_address(neuron), .read_data(head)
    );
    memory #(.WIDTH(ROUTE_WIDTH), .ADDRESS_BITS(ROUTE_BITS)) routes (
        .clk(clk),
        .write(load_route), .write_address(load_address[ROUTE_BITS-1:0]),
        .write_data(load_data[ROUTE_WIDTH-1:0]),
        .read(reading), .read_address(route), .read_data(destination)
    );
endmodule
