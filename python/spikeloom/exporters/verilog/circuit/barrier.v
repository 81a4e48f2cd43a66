// The barrier: `go` ends a tick two clocks after the chip has become quiet, for one clock.
module barrier (
    input  wire clk,
    input  wire reset,
    input  wire quiet,
    output wire go
);
    reg first, second;

    assign go = second;

    always @(posedge clk) begin
        if (reset || go) begin
            first <= 1'b0;
            second <= 1'b0;
        end else begin
            first <= quiet;
            second <= first;
        end
    end
endmodule
