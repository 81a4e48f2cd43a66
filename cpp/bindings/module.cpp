#include "bindings/convert.hpp"

PYBIND11_MODULE(_core, module) {
  module.doc() = "The emulator core. Unchecked details belong to spikeloom.emulation; use that.";
  spikeloom::bindings::bind_errors(module);
  spikeloom::bindings::bind_program(module);
  spikeloom::bindings::bind_chip(module);
  spikeloom::bindings::bind_encoding(module);
  spikeloom::bindings::bind_elementary(module);
  spikeloom::bindings::bind_lattice(module);
}
