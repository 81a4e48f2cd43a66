#include "noc/mesh.hpp"

#include <algorithm>

namespace spikeloom {
namespace {

// The input of the neighbour that an output leads to.
constexpr std::array<std::int32_t, ports> opposite = {local, west, east, south, north};

}  // namespace

Mesh::Mesh(std::int32_t width, std::int32_t height, std::int32_t buffer)
    : width_(width),
      height_(height),
      inputs_(std::size_t(places()) * ports, Fifo<Packet>(buffer)),
      granted_(inputs_.size()),
      held_(places()),
      listed_(places()) {}

void Mesh::reset() {
  for (auto& input : inputs_) input.clear();
  std::fill(granted_.begin(), granted_.end(), local);
  std::fill(held_.begin(), held_.end(), 0);
  std::fill(listed_.begin(), listed_.end(), std::uint8_t{0});
  active_.clear();
  hops_.clear();
  blocked_ = outvoted_ = 0;
}

void Mesh::push(std::int32_t place, std::int32_t port, const Packet& packet) {
  inputs_[place * ports + port].push(packet);
  ++held_[place];
  if (listed_[place] != 0) return;
  listed_[place] = 1;
  active_.push_back(place);
}

std::int32_t Mesh::output_of(std::int32_t place, const Packet& packet) const {
  const std::int32_t dx = packet.place % width_ - place % width_, dy = packet.place / width_ - place / width_;
  if (dx != 0) return dx > 0 ? east : west;
  if (dy != 0) return dy > 0 ? south : north;
  return local;
}

Mesh::Wanted Mesh::wanted(std::int32_t place) const {
  Wanted outputs{};
  for (std::int32_t port = 0; port < ports; ++port)
    outputs[port] = input(place, port).empty() ? -1 : output_of(place, input(place, port).front());
  return outputs;
}

void Mesh::step(std::vector<Fifo<Packet>>& receivers) {
  hops_.clear();
  const std::size_t known =
      active_.size();  // a router that gets its first packet in this clock sees none yet
  for (std::size_t k = 0; k < known; ++k) {
    const std::int32_t place = active_[k];
    const Wanted outputs = wanted(place);
    for (std::int32_t output = 0; output < ports; ++output) grant(place, output, outputs, receivers);
  }
}

void Mesh::grant(std::int32_t place, std::int32_t output, const Wanted& wanted,
                 std::vector<Fifo<Packet>>& receivers) {
  const auto waiting = std::count(wanted.begin(), wanted.end(), output);
  if (waiting == 0) return;
  outvoted_ += waiting - 1;
  std::int32_t& last = granted_[place * ports + output];
  std::int32_t chosen = (last + 1) % ports;
  while (wanted[chosen] != output) chosen = (chosen + 1) % ports;
  if (full_ahead(place, output, receivers)) {
    ++blocked_;
    return;
  }
  last = chosen;
  Fifo<Packet>& from = inputs_[place * ports + chosen];
  const Packet packet = from.front();
  from.pop();
  --held_[place];
  hops_.push_back({place, output});
  if (output == local)
    receivers[place].push(packet);
  else
    push(neighbour(place, output), opposite[output], packet);
}

std::int32_t Mesh::neighbour(std::int32_t place, std::int32_t output) const {
  return place + (output == east) - (output == west) + width_ * ((output == south) - (output == north));
}

bool Mesh::full_ahead(std::int32_t place, std::int32_t output,
                      const std::vector<Fifo<Packet>>& receivers) const {
  if (output == local) return receivers[place].full();
  return input(neighbour(place, output), opposite[output]).full();
}

void Mesh::settle() {
  for (const std::int32_t place : active_) {
    for (std::int32_t port = 0; port < ports; ++port) inputs_[place * ports + port].settle();
    listed_[place] = held_[place] > 0;
  }
  std::erase_if(active_, [&](std::int32_t place) { return listed_[place] == 0; });
}

}  // namespace spikeloom
