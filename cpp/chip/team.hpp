// One sample on several threads, each with some of the cores. They meet once a tick, when the spikes of all
// are known: each then adds what these bring to its own cores, and goes on with the next tick.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <thread>
#include <vector>

#include "base/barrier.hpp"
#include "chip/sample_run.hpp"

namespace spikeloom {

// The parts of a chip, and of the synapses what reaches each.
struct Division {
  std::vector<Part> parts;
  std::vector<std::unique_ptr<const Fans>> fans;  // null where spikes wait until they are due

  Division(const Program& program, const Fans* whole, std::int64_t most) : parts(parts_of(program, most)) {
    for (const Part& part : parts)
      fans.push_back(whole == nullptr ? nullptr : std::make_unique<const Fans>(program, *whole, part));
  }
};

template <class S, class Sum>
class Team {
 public:
  using Sample = SampleRun<S, Sum>;
  Team(const Cores<S, Sum>& cores, const Division& division)
      : cores_(cores), members_(division.parts.size()) {
    for (std::size_t k = 0; k < members_.size(); ++k)
      members_[k].state = cores.fresh(division.parts[k], division.fans[k].get());
  }

  // The whole sample; its listed spikes are appended in their order. False where a part failed: what was
  // written is not the sample's, and a run on one thread says what failed first.
  bool run(const Sample& sample, std::int64_t ticks, std::vector<SpikeRow>& spikes) {
    Meeting meeting(static_cast<int>(members_.size()));
    std::vector<std::thread> others;
    for (std::size_t k = 1; k < members_.size(); ++k)
      others.emplace_back([&, k] { run_part(members_[k], sample, ticks, meeting); });
    run_part(members_[0], sample, ticks, meeting);
    for (std::thread& other : others) other.join();
    if (meeting.failed <= ticks) return false;
    for (Member& member : members_) {
      sample.write_events(member.state, member.tally);
      spikes.insert(spikes.end(), member.spikes.begin(), member.spikes.end());
    }
    std::stable_sort(spikes.begin(), spikes.end(),
                     [](const auto& a, const auto& b) { return a.tick < b.tick; });
    return true;
  }

 private:
  struct alignas(64) Member {
    CoreState<S, Sum> state;
    std::vector<S> set;  // values that the sample overrides
    SpikeTally tally;
    std::vector<SpikeRow> spikes;  // that are listed
    std::vector<Spike> fired[2];   // in even and in odd ticks: others read one while the next is made
    std::vector<Spike> heard;      // of all parts
  };
  struct Meeting {
    Barrier barrier;
    std::atomic<std::int64_t> failed{std::numeric_limits<std::int64_t>::max()};  // the first tick that did
    explicit Meeting(int threads) : barrier(threads) {}
  };

  void run_part(Member& member, const Sample& sample, std::int64_t ticks, Meeting& meeting) {
    for (std::int64_t t = 0; t < ticks; ++t) {
      try {
        run_tick(member, sample, t, ticks);
      } catch (...) {
        for (std::int64_t known = meeting.failed; t < known;)
          if (meeting.failed.compare_exchange_weak(known, t)) break;
      }
      meeting.barrier.wait();
      if (meeting.failed <= t) return;  // a later one is not yet for all to see
    }
  }

  // Tick t of a part, with what the tick before sent to it. What the last one sends comes too late.
  void run_tick(Member& member, const Sample& sample, std::int64_t t, std::int64_t ticks) {
    if (t == 0) {
      sample.begin(member.state, member.set, member.tally);
      member.spikes.clear();
    } else {
      hear(member, t - 1);
      cores_.take_in(member.state, {member.heard}, t - 1, ticks);
    }
    if (const std::uint8_t* inputs = sample.inputs(t)) cores_.deliver_inputs(member.state, inputs, t, ticks);
    cores_.update(member.state, t);
    cores_.count_packets(member.state);
    sample.write_tick(member.state, t, member.tally, member.spikes);
    member.fired[t % 2] = member.state.fired;
  }

  void hear(Member& member, std::int64_t t) const {
    member.heard.clear();
    for (const Member& other : members_)
      member.heard.insert(member.heard.end(), other.fired[t % 2].begin(), other.fired[t % 2].end());
  }

  const Cores<S, Sum>& cores_;
  std::vector<Member> members_;
};

}  // namespace spikeloom
