// A memory with one write port and one synchronous read port. The word of the address given in one clock is read in
// the next; a word that is written in the same clock is read as it was before.
module memory #(
    parameter WIDTH = 8,
    parameter ADDRESS_BITS = 4
) (
    input  wire                    clk,
    input  wire                    write,
    input  wire [ADDRESS_BITS-1:0] write_address,
    input  wire [WIDTH-1:0]        write_data,
    input  wire                    read,
    input  wire [ADDRESS_BITS-1:0] read_address,
    output reg  [WIDTH-1:0]        read_data
);
    reg [WIDTH-1:0] words [0:(1<<ADDRESS_BITS)-1];

    always @(posedge clk) begin
        if (write) words[write_address] <= write_data;
        if (read) read_data <= words[read_address];
    end
endmodule
