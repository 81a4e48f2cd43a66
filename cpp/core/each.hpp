// delivery.accumulate = "each": every synapse writes its register itself, through the register's rule, as
// often as its axon has spikes. Digital somas only.
#pragma once

#include <cstdint>

#include "base/level.hpp"
#include "program/program.hpp"
#include "soma/soma.hpp"
#include "synapse/synapses.hpp"

namespace spikeloom {

class EachAddition {
 public:
  EachAddition(const Program& program, const Soma<std::int32_t>& soma, Level level);

  // All additions of the spikes on one axon: by stored run, then ascending target. `chip` holds every neuron.
  // Returns their number.
  std::int64_t add(const Block<std::int32_t>& chip, const Arrival& spikes) const;

 private:
  template <class Stored>
  void add_run(const Block<std::int32_t>& chip, const Axon& axon, const Run& run, const Stored* weights,
               std::int64_t n) const;
  template <class Lane, class Stored>
  void add_stretch(const Block<std::int32_t>& part, const Target& target, const Stored* weights,
                   std::int64_t n) const;

  const Program& program_;
  const Soma<std::int32_t>& soma_;
  Level level_;
  bool narrow_;  // a register and one weight fit 32 bits together
};

}  // namespace spikeloom
