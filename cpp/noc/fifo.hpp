// A FIFO whose count is what it was when the clock began, whatever happens within the clock.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace spikeloom {

// At most one push and one pop a clock; `settle` ends the clock.
template <class T>
class Fifo {
 public:
  explicit Fifo(std::int32_t depth) : entries_(depth) {}

  std::int32_t count() const { return seen_; }
  std::int32_t most() const { return most_; }
  bool empty() const { return seen_ == 0; }
  bool full() const { return seen_ == depth(); }
  const T& front() const { return entries_[head_]; }

  void pop() {
    head_ = next(head_);
    --held_;
  }

  void push(const T& entry) {
    entries_[tail_] = entry;
    tail_ = next(tail_);
    ++held_;
  }

  void settle() {
    seen_ = held_;
    most_ = std::max(most_, seen_);
  }

  void clear() { head_ = tail_ = held_ = seen_ = most_ = 0; }

 private:
  std::int32_t depth() const { return static_cast<std::int32_t>(entries_.size()); }
  std::int32_t next(std::int32_t place) const { return place + 1 == depth() ? 0 : place + 1; }

  std::vector<T> entries_;
  std::int32_t head_ = 0, tail_ = 0, held_ = 0;
  std::int32_t seen_ = 0;  // entries when the clock began
  std::int32_t most_ = 0;
};

}  // namespace spikeloom
