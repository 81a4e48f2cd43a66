// One core: its controller goes through INPUT, DELIVER, UPDATE and DRAIN once a tick; SEND and RECEIVE work beside it.
`include "sizes.vh"
module core (
    input  wire                     clk,
    input  wire                     reset,
    input  wire                     go,            // the tick ends
    output wire                     done,
    // the host: spikes of this tick, one after the other
    input  wire                     input_pending,
    input  wire [`AXON_BITS-1:0]    input_axon,
    input  wire [`SPIKE_BITS-1:0]   input_count,
    output wire                     input_take,
    // the router
    output wire                     packet_push,
    output wire [`PACKET_WIDTH-1:0] packet,
    input  wire                     packet_full,
    input  wire                     arrival_push,
    input  wire [`ARRIVAL_WIDTH-1:0] arrival,
    output wire                     arrival_full,
    output wire                     arrival_empty,
    // memories, written before the run
    input  wire                           load,
    input  wire [3:0]                     load_memory,
    input  wire [`LOAD_ADDRESS_BITS-1:0]  load_address,
    input  wire [`LOAD_BITS-1:0]          load_data,
    // what is observed
    output reg  [1:0]                     phase,
    output wire                           write_valid,
    output wire [`NEURON_BITS-1:0]        write_neuron,
    output wire [`OBSERVED_WIDTH-1:0]     write_word,
    output wire                           spike,
    output wire [`NEURON_BITS-1:0]        spike_neuron,
    output wire [`SPIKE_BITS-1:0]         spike_count,
    output wire [`OUTPUT_COUNT_BITS-1:0]  output_count,
    output wire [`RECEIVE_COUNT_BITS-1:0] receive_count
);
    localparam [1:0] INPUT = 2'd0, DELIVER = 2'd1, UPDATE = 2'd2, DRAIN = 2'd3;

    reg  [`NEURON_BITS:0] neurons;        // in use, from 0 on
    reg  [`AXON_BITS:0]   first_axons;    // of the group that is delivered first, from 0 on
    wire                  deliver_last, update_last, adding, send_idle;
    wire                  load_settings = load && load_memory == 4'd9;

    // Controller.
    wire input_last = phase == INPUT && !adding && !input_pending;

    always @(posedge clk) begin
        if (reset) phase <= INPUT;
        else if (input_last) phase <= DELIVER;
        else if (deliver_last) phase <= UPDATE;
        else if (update_last) phase <= DRAIN;
        else if (go) phase <= INPUT;
    end

    always @(posedge clk) begin
        if (load_settings) neurons <= load_data[`NEURON_BITS:0];
        if (load_settings) first_axons <= load_data[`NEURON_BITS+1 +: `AXON_BITS+1];
    end

    // SCHED is written by the host in INPUT and by RECEIVE in UPDATE and DRAIN.
    wire                      from_host = phase == INPUT;
    wire                      take_host = from_host && !adding && input_pending;
    wire                      take_arrival = (phase == UPDATE || phase == DRAIN) && !adding && !arrival_empty;
    wire [`ARRIVAL_WIDTH-1:0]  arrived;
    wire [`AXON_BITS-1:0]     read_axon, clear_axon;
    wire [`COUNT_BITS-1:0]    count;
    wire                      clear;
    wire [`AXON_BITS-1:0]     add_axon = from_host ? input_axon : arrived[`SPIKE_BITS+`SLOT_BITS +: `AXON_BITS];

    assign input_take = take_host;
    assign done = phase == DRAIN && output_empty && send_idle && !adding;

    fifo #(
        .WIDTH(`ARRIVAL_WIDTH), .DEPTH(`RECEIVE_DEPTH), .ADDRESS_BITS(`RECEIVE_ADDRESS_BITS),
        .COUNT_BITS(`RECEIVE_COUNT_BITS)
    ) receive_fifo (
        .clk(clk), .reset(reset),
        .push(arrival_push), .push_data(arrival),
        .pop(take_arrival), .head(arrived), .full(arrival_full), .empty(arrival_empty), .count(receive_count)
    );

    schedule #(
        .SLOT_BITS(`SLOT_BITS), .AXON_BITS(`AXON_BITS), .COUNT_BITS(`COUNT_BITS), 
        .FIRST_MAX(`FIRST_MAX), .SECOND_MAX(`SECOND_MAX), .SPIKE_BITS(`SPIKE_BITS),
        .MERGE_OR(`MERGE_OR)
    ) schedule (
        .clk(clk), .reset(reset), .go(go),
        .add(take_host || take_arrival),
        .ahead(from_host ? {`SLOT_BITS{1'b0}} : arrived[`SPIKE_BITS +: `SLOT_BITS]),
        .in_first({1'b0, add_axon} < first_axons),
        .add_axon(add_axon),
        .add_count(from_host ? input_count : arrived[0 +: `SPIKE_BITS]),
        .adding(adding), .clear(clear), .clear_axon(clear_axon), .read_axon(read_axon), .count(count),
        .load(load && load_memory == 4'd0), .load_address(load_address[`SLOT_BITS+`AXON_BITS-1:0]),
        .load_count(load_data[`COUNT_BITS-1:0])
    );

    // DELIVER.
    wire                       read_word, add;
    wire [`WORD_BITS-1:0]      word, add_word;
    wire [`RECEPTOR_BITS-1:0]  add_receptor;
    wire [`SYNAPSE_WIDTH-1:0]  weights;

    deliver #(
        .AXONS(`AXONS), .AXON_BITS(`AXON_BITS), .COUNT_BITS(`COUNT_BITS), .RUN_BITS(`RUN_BITS),
        .RUNS_BITS(`RUNS_BITS),
        .RECEPTOR_BITS(`RECEPTOR_BITS), .WORD_BITS(`WORD_BITS), .LENGTH_BITS(`LENGTH_BITS),
        .SYNAPSE_BITS(`SYNAPSE_BITS), .SYNAPSE_WIDTH(`SYNAPSE_WIDTH),
        .LOAD_ADDRESS_BITS(`LOAD_ADDRESS_BITS), .LOAD_BITS(`LOAD_BITS)
    ) deliver (
        .clk(clk), .reset(reset), .active(phase == DELIVER), .last(deliver_last),
        .read_axon(read_axon), .count(count), .clear(clear), .clear_axon(clear_axon),
        .read_word(read_word), .word(word), .add(add), .add_receptor(add_receptor), .add_word(add_word),
        .weights(weights),
        .load_axon(load && load_memory == 4'd1), .load_run(load && load_memory == 4'd2),
        .load_synapse(load && load_memory == 4'd3), .load_address(load_address), .load_data(load_data)
    );

    // UPDATE.
    wire output_full, output_empty;

    soma soma (
        .clk(clk), .reset(reset), .active(phase == UPDATE), .neurons(neurons), .last(update_last),
        .read_word(read_word), .word(word), .add(add), .add_receptor(add_receptor), .add_word(add_word),
        .weights(weights),
        .spike(spike), .spike_neuron(spike_neuron), .spike_count(spike_count), .full(output_full),
        .write_valid(write_valid), .write_neuron(write_neuron), .write_word(write_word),
        .load_accumulator(load && load_memory == 4'd4), .load_state(load && load_memory == 4'd5),
        .load_param(load && load_memory == 4'd6), .load_address(load_address), .load_data(load_data)
    );

    // SEND.
    wire                                spike_pop;
    wire [`NEURON_BITS+`SPIKE_BITS-1:0] spike_head;

    fifo #(
        .WIDTH(`NEURON_BITS + `SPIKE_BITS), .DEPTH(`OUTPUT_DEPTH), .ADDRESS_BITS(`OUTPUT_ADDRESS_BITS),
        .COUNT_BITS(`OUTPUT_COUNT_BITS)
    ) output_fifo (
        .clk(clk), .reset(reset),
        .push(spike), .push_data({spike_neuron, spike_count}),
        .pop(spike_pop), .head(spike_head), .full(output_full), .empty(output_empty), .count(output_count)
    );

    send #(
        .NEURON_BITS(`NEURON_BITS), .SPIKE_BITS(`SPIKE_BITS), .ROUTE_BITS(`ROUTE_BITS), .FAN_BITS(`FAN_BITS),
        .ROUTE_WIDTH(`PACKET_WIDTH - `SPIKE_BITS),
        .LOAD_ADDRESS_BITS(`LOAD_ADDRESS_BITS), .LOAD_BITS(`LOAD_BITS)
    ) send (
        .clk(clk), .reset(reset),
        .empty(output_empty), .neuron(spike_head[`SPIKE_BITS +: `NEURON_BITS]),
        .spikes(spike_head[0 +: `SPIKE_BITS]), .pop(spike_pop), .idle(send_idle),
        .take(packet_push), .packet(packet), .full(packet_full),
        .load_head(load && load_memory == 4'd7), .load_route(load && load_memory == 4'd8),
        .load_address(load_address), .load_data(load_data)
    );
endmodule
