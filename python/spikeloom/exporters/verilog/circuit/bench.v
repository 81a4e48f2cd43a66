// The test bench: loads the memory images, plays the input spikes, and writes down what happens. Images and inputs are
// in folders core0, core1, ... of the current folder, and so is the log, run.log.
//   +ticks=N      how many ticks to run
//   +clocks=N     stop after so many clocks, whatever has ended; 0: never
//   +detail=N     0: the spikes and the end of each tick; 1: also the memories after each tick; 2: also a line for
//                 each clock in which an observed signal of a core changed
// An input is a line "TICK AXON COUNT"; inputs are sorted by tick, then by axon.
// Lines of the log, numbers in decimal, words in hexadecimal:
//   c CLOCK CORE WORD             observed signals, see `seen` below, lowest bits last
//   p CLOCK CORE NEURON COUNT     a spike is pushed
//   g CLOCK TICK                  the tick ends
//   s TICK CORE NEURON WORD       STATE;  a TICK CORE RECEPTOR NEURON WORD: ACC;  d TICK CORE ADDRESS WORD: SCHED, not 0
`include "sizes.vh"
`ifdef VERILATOR
module bench (input wire clk); // bench.cpp makes the clock
`else
module bench;
    reg clk;
    initial clk = 1'b0;
    always #1 clk = !clk;
`endif
    localparam NAME = 8 * 64;      // bits of a file's name
    localparam INPUTS = 16;        // bits of the number of an input
    localparam ROUTER = 5 * `ROUTER_COUNT_BITS;

    reg             reset;
    integer         log, ticks, clocks, detail, clock, tick;

    wire                              go;
    wire [`CORES-1:0]                 input_pending;
    wire [`CORES*`AXON_BITS-1:0]      input_axon;
    wire [`CORES*`SPIKE_BITS-1:0]     input_count;
    wire [`CORES-1:0]                 input_take;
    wire [`CORES*2-1:0]               phase;
    wire [`CORES-1:0]                 write_valid;
    wire [`CORES*`NEURON_BITS-1:0]    write_neuron;
    wire [`CORES*`OBSERVED_WIDTH-1:0] write_word;
    wire [`CORES-1:0]                 spike;
    wire [`CORES*`NEURON_BITS-1:0]    spike_neuron;
    wire [`CORES*`SPIKE_BITS-1:0]     spike_count;
    wire [`CORES*`OUTPUT_COUNT_BITS-1:0]  output_count;
    wire [`CORES*`RECEIVE_COUNT_BITS-1:0] receive_count;
    wire [`CORES*5*`ROUTER_COUNT_BITS-1:0] router_counts;
    wire [`CORES*5-1:0]               moves;

    mesh chip (
        .clk(clk), .reset(reset), .go(go),
        .input_pending(input_pending), .input_axon(input_axon), .input_count(input_count), .input_take(input_take),
        .load({`CORES{1'b0}}), .load_memory(4'd0), .load_address({`LOAD_ADDRESS_BITS{1'b0}}),
        .load_data({`LOAD_BITS{1'b0}}),
        .phase(phase), .write_valid(write_valid), .write_neuron(write_neuron), .write_word(write_word),
        .spike(spike), .spike_neuron(spike_neuron), .spike_count(spike_count),
        .output_count(output_count), .receive_count(receive_count), .router_counts(router_counts), .moves(moves)
    );

    initial begin
        if (!$value$plusargs("ticks=%d", ticks)) ticks = 1;
        if (!$value$plusargs("clocks=%d", clocks)) clocks = 0;
        if (!$value$plusargs("detail=%d", detail)) detail = 2;
        log = $fopen("run.log", "w");
        reset = 1'b1;
        clock = -2;
        tick = 0;
    end

    always @(posedge clk) begin
        clock <= clock + 1;
        reset <= clock < -1;
        if (go) tick <= tick + 1;
        if (go) $fwrite(log, "g %0d %0d\n", clock, tick);
    end

    always @(negedge clk) if (tick == ticks || (clocks != 0 && clock > clocks)) begin
        $fclose(log);
        $finish;
    end

    genvar c, lane;
    generate
        for (c = 0; c < `CORES; c = c + 1) begin : core
            reg  [NAME-1:0]            name;
            reg  [`NEURON_BITS+`AXON_BITS+1:0] settings [0:0];
            integer                    file, found, tick_read, axon_read, count_read, j;
            integer                    due [0:(1<<INPUTS)-1], axon [0:(1<<INPUTS)-1], count [0:(1<<INPUTS)-1];
            reg  [INPUTS-1:0]          next;       // input
            wire [31:0]                next_axon = axon[next], next_count = count[next];
            wire [`NEURON_BITS-1:0]    written = write_neuron[c*`NEURON_BITS +: `NEURON_BITS];
            wire [`OBSERVED_WIDTH-1:0] word = write_word[c*`OBSERVED_WIDTH +: `OBSERVED_WIDTH];
            wire [`NEURON_BITS-1:0]    fired = spike_neuron[c*`NEURON_BITS +: `NEURON_BITS];
            wire [`SPIKE_BITS-1:0]     times = spike_count[c*`SPIKE_BITS +: `SPIKE_BITS];
            wire [`NEURON_BITS+`OBSERVED_WIDTH+`NEURON_BITS+`SPIKE_BITS+`OUTPUT_COUNT_BITS+`RECEIVE_COUNT_BITS
                  +ROUTER+8:0] seen = {
                phase[2*c +: 2],
                write_valid[c], {`NEURON_BITS{write_valid[c]}} & written, {`OBSERVED_WIDTH{write_valid[c]}} & word,
                spike[c], {`NEURON_BITS{spike[c]}} & fired, {`SPIKE_BITS{spike[c]}} & times,
                output_count[c*`OUTPUT_COUNT_BITS +: `OUTPUT_COUNT_BITS],
                receive_count[c*`RECEIVE_COUNT_BITS +: `RECEIVE_COUNT_BITS],
                router_counts[c*ROUTER +: ROUTER],
                moves[5*c +: 5]
            };
            reg [`NEURON_BITS+`OBSERVED_WIDTH+`NEURON_BITS+`SPIKE_BITS+`OUTPUT_COUNT_BITS+`RECEIVE_COUNT_BITS
                 +ROUTER+8:0] seen_before;

            initial begin
                $sformat(name, "core%0d/settings.hex", c);
                $readmemh(name, settings);
                chip.place[c].core.neurons = settings[0][`NEURON_BITS:0];
                chip.place[c].core.first_axons = settings[0][`NEURON_BITS+1 +: `AXON_BITS+1];
                $sformat(name, "core%0d/schedule.hex", c);
                $readmemh(name, chip.place[c].core.schedule.counts.words);
                $sformat(name, "core%0d/axon.hex", c);
                $readmemh(name, chip.place[c].core.deliver.axon.words);
                $sformat(name, "core%0d/run.hex", c);
                $readmemh(name, chip.place[c].core.deliver.run_words.words);
                $sformat(name, "core%0d/synapse.hex", c);
                $readmemh(name, chip.place[c].core.deliver.synapses.words);
                $sformat(name, "core%0d/head.hex", c);
                $readmemh(name, chip.place[c].core.send.heads.words);
                $sformat(name, "core%0d/route.hex", c);
                $readmemh(name, chip.place[c].core.send.routes.words);
                //: load neurons
                $sformat(name, "core%0d/inputs.txt", c);
                file = $fopen(name, "r");
                next = 0;
                found = 3;
                while (found == 3) begin
                    found = $fscanf(file, "%d %d %d\n", tick_read, axon_read, count_read);
                    due[next] = tick_read;
                    axon[next] = axon_read;
                    count[next] = count_read;
                    if (found == 3) next = next + 1;
                end
                due[next] = -1;
                $fclose(file);
                next = 0;
            end

            assign input_pending[c] = due[next] == tick;
            assign input_axon[c*`AXON_BITS +: `AXON_BITS] = next_axon[`AXON_BITS-1:0];
            assign input_count[c*`SPIKE_BITS +: `SPIKE_BITS] = next_count[`SPIKE_BITS-1:0];
            always @(posedge clk) if (!reset && input_take[c]) next <= next + 1;

            for (lane = 0; lane < `LANES; lane = lane + 1) begin : lanes
                reg [NAME-1:0] lane_name;
                integer k;
                initial begin
                    //: load accumulators
                end
                always @(posedge clk) if (go && detail > 0) begin
                    for (k = lane; k < chip.place[c].core.neurons; k = k + `LANES) begin
                        //: dump accumulators
                    end
                end
            end

            always @(posedge clk) begin
                if (reset) seen_before <= 0;
                else if (detail > 1) begin
                    seen_before <= seen;
                    if (seen != seen_before) $fwrite(log, "c %0d %0d %h\n", clock, c, seen);
                end
                if (!reset && spike[c]) $fwrite(log, "p %0d %0d %0d %0d\n", clock, c, fired, times);
                if (go && detail > 0) begin
                    for (j = 0; j < chip.place[c].core.neurons; j = j + 1) begin
                        //: dump neurons
                    end
                    for (j = 0; j < (1 << (`SLOT_BITS + `AXON_BITS)); j = j + 1)
                        if (chip.place[c].core.schedule.counts.words[j] != 0)
                            $fwrite(log, "d %0d %0d %0d %h\n", tick, c, j,
                                    chip.place[c].core.schedule.counts.words[j]);
                end
            end
        end
    endgenerate
endmodule
