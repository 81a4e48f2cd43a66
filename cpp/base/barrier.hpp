// Where threads wait for one another many times in a millisecond.
#pragma once

#include <atomic>

#include "base/level.hpp"

namespace spikeloom {

// What a thread wrote before wait() is seen by all after it. Threads look again and again, for the next tick
// is nearer than a wake-up; where it takes longer, another program has a processor, and they sleep.
class Barrier {
 public:
  explicit Barrier(int threads) : threads_(threads) {}

  void wait() {
    const unsigned round = round_.load(std::memory_order_relaxed);
    if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == threads_) {
      arrived_.store(0, std::memory_order_relaxed);
      round_.store(round + 1, std::memory_order_release);
      round_.notify_all();
      return;
    }
    for (int looks = 0; looks < patience; ++looks) {
      if (round_.load(std::memory_order_acquire) != round) return;
      relax();
    }
    round_.wait(round, std::memory_order_acquire);
  }

 private:
  static constexpr int patience = 2000;  // some 50 us
  static void relax() {
#if SPIKELOOM_X86_LEVELS
    __builtin_ia32_pause();
#endif
  }

  int threads_;
  alignas(64) std::atomic<int> arrived_{0};
  alignas(64) std::atomic<unsigned> round_{0};
};

}  // namespace spikeloom
