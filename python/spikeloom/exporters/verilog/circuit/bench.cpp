// The clock of the test bench under Verilator.
#include "Vbench.h"
#include "verilated.h"

int main(int argc, char** argv) {
  VerilatedContext context;
  context.commandArgs(argc, argv);
  Vbench bench(&context);
  while (!context.gotFinish()) {
    bench.clk = !bench.clk;
    bench.eval();
  }
  bench.final();
}
