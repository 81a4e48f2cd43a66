// Routers on a grid, their finite buffers, and the links between them: one packet, one hop, one clock.
//
// A packet goes along x, then along y, then out to the core. For each output of a router, of the inputs whose
// first packet goes there, the one moves that comes first after the last granted in the order L, E, W, N, S;
// if the buffer ahead is full, none does.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "noc/fifo.hpp"

namespace spikeloom {

struct Packet {
  std::int32_t place;  // of the router that it goes to: y * width + x
  std::int32_t axon;   // by its number on the chip
  std::int32_t ticks;  // from the tick in which it was sent to the one in which it is due
  std::int32_t n;      // spikes
};

enum Port : std::int32_t { local, east, west, north, south, ports };

// A packet that a router moved to one of its outputs.
struct Hop {
  std::int32_t place;
  std::int32_t output;
};

class Mesh {
 public:
  Mesh(std::int32_t width, std::int32_t height, std::int32_t buffer);

  // Empty buffers; the pointers go back to L.
  void reset();
  std::int32_t places() const { return width_ * height_; }
  bool idle() const { return active_.empty(); }

  // The local input of a router.
  bool takes(std::int32_t place) const { return !input(place, local).full(); }
  void push(std::int32_t place, const Packet& packet) { push(place, local, packet); }

  // One clock; `receivers` are behind the outputs L. `settle` ends the clock for the mesh's own buffers.
  void step(std::vector<Fifo<Packet>>& receivers);
  void settle();

  const std::vector<Hop>& hops() const { return hops_; }  // of the last step
  std::int64_t blocked() const { return blocked_; }       // clocks in which the buffer ahead was full
  std::int64_t outvoted() const { return outvoted_; }     // clocks in which another input was granted
  const Fifo<Packet>& input(std::int32_t place, std::int32_t port) const {
    return inputs_[place * ports + port];
  }
  std::vector<std::int32_t>& last_granted() { return granted_; }  // [place][output]
  const std::vector<std::int32_t>& last_granted() const { return granted_; }

 private:
  using Wanted = std::array<std::int32_t, ports>;  // output that each input's first packet wants, or -1

  void push(std::int32_t place, std::int32_t port, const Packet& packet);
  Wanted wanted(std::int32_t place) const;
  std::int32_t output_of(std::int32_t place, const Packet& packet) const;
  std::int32_t neighbour(std::int32_t place, std::int32_t output) const;
  void grant(std::int32_t place, std::int32_t output, const Wanted& wanted,
             std::vector<Fifo<Packet>>& receivers);
  bool full_ahead(std::int32_t place, std::int32_t output, const std::vector<Fifo<Packet>>& receivers) const;

  std::int32_t width_, height_;
  std::vector<Fifo<Packet>> inputs_;   // [place][port]
  std::vector<std::int32_t> granted_;  // [place][output]
  std::vector<std::int32_t> held_;     // [place] packets in its buffers
  std::vector<std::int32_t> active_;   // places with packets
  std::vector<std::uint8_t> listed_;   // [place] it is in active_
  std::vector<Hop> hops_;
  std::int64_t blocked_ = 0, outvoted_ = 0;
};

}  // namespace spikeloom
