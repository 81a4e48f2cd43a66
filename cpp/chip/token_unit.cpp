#include "chip/token_unit.hpp"

#include <limits>
#include <utility>

namespace spikeloom {

void TokenUnit::reset(std::int64_t pointer) {
  position_ = -1;
  tick_ = pointer_ = pointer;
  waited_ = 0;
  spikes_.clear();
  next_ = 0;
}

bool TokenUnit::sample(std::int64_t tick) {
  if (busy()) return false;
  position_ = 0;
  tick_ = tick;
  waited_ = 0;
  give({});
  return true;
}

void TokenUnit::give(std::vector<TokenSpike> spikes) {
  spikes_ = std::move(spikes);
  next_ = 0;
}

// Clock 0 samples the tick in idle; 1 sets the pointer; each neuron takes A clocks for its axons, one to
// write, one to go on; the last clock clears the slot.
TokenState TokenUnit::state() const {
  if (position_ <= 0) return idle_state;
  if (position_ == 1) return set_state;
  if (position_ == last_position()) return clear_state;
  const std::int64_t within = (position_ - 2) % (axons_ + 2);
  return within < axons_ ? axons_state : within == axons_ ? write_state : check_state;
}

std::int32_t TokenUnit::neuron() const {
  return state() == write_state ? static_cast<std::int32_t>((position_ - 2) / (axons_ + 2)) : -1;
}

std::int64_t TokenUnit::calm() const {
  if (!busy()) return std::numeric_limits<std::int64_t>::max();
  return (next_ < spikes_.size() ? write_position(spikes_[next_].neuron) : last_position()) - position_;
}

bool TokenUnit::step(Mesh& mesh, PushedSpike& sent) {
  if (!busy()) return false;
  const bool sending = sends();
  if (sending && !mesh.takes(place_)) {
    ++waited_;
    return false;
  }
  if (sending) {
    mesh.push(place_, spikes_[next_].packet);
    sent = {place_, spikes_[next_].neuron, 1};
    ++next_;
  }
  skip(1);
  return sending;
}

void TokenUnit::skip(std::int64_t clocks) {
  if (!busy()) return;
  position_ += clocks;
  if (position_ > 1) pointer_ = tick_;
  if (position_ > last_position()) position_ = -1;
}

}  // namespace spikeloom
