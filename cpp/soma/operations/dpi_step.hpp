// What the integrators of dpi_step share: its registers and operands.
#pragma once

#include <array>
#include <memory>

#include "soma/real.hpp"

namespace spikeloom::dpi {

// Registers that the step writes, then what it only reads.
inline constexpr std::array registers = {"imem", "exc", "inh", "ahp", "fired"};
inline constexpr std::array operands = {
    "refractory", "in_exc",    "in_inh",   "i0",        "itau_mem", "igain_mem",   "itau_exc", "igain_exc",
    "itau_inh",   "igain_inh", "itau_ahp", "igain_ahp", "iw_ahp",   "idc",         "c_mem",    "c_exc",
    "c_inh",      "c_ahp",     "kappa",    "ut",        "t_pulse",  "t_pulse_ahp", "dt"};
enum Place {
  refractory,
  in_exc,
  in_inh,
  i0,
  itau_mem,
  igain_mem,
  itau_exc,
  igain_exc,
  itau_inh,
  igain_inh,
  itau_ahp,
  igain_ahp,
  iw_ahp,
  idc,
  c_mem,
  c_exc,
  c_inh,
  c_ahp,
  kappa,
  ut,
  t_pulse,
  t_pulse_ahp,
  dt
};

using Operands = std::array<const double*, operands.size()>;

// Where they are in one program.
struct Places {
  std::array<Target, registers.size()> targets;
  std::array<Source, operands.size()> sources;

  Places() = default;
  explicit Places(Binder<double>& binder) {
    for (std::size_t k = 0; k < registers.size(); ++k)
      targets[k] = binder.write(binder.element(registers[k]), {}, false);
    for (std::size_t k = 0; k < operands.size(); ++k) sources[k] = binder.source(operands[k]);
  }

  Operands load(const Block<double>& block) const {
    Operands found;
    for (std::size_t k = 0; k < found.size(); ++k) found[k] = block.load<double>(sources[k], 0);
    return found;
  }
};

SPIKELOOM_INLINE double at_least(double x, double least) {
  return x > least ? x : least;
}

// The integrator `exponential`.
std::unique_ptr<Operation<double>> make_dpi_exponential(Binder<double>& binder);

}  // namespace spikeloom::dpi
