// The soma stage: the operation list of a program, run over its neurons block by block.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "soma/binder.hpp"
#include "soma/one_pass/leaky.hpp"
#include "soma/one_pass/linear.hpp"
#include "soma/operation.hpp"

namespace spikeloom {

// S is what registers are stored as: int32 (digital) or double (analog).
template <class S>
class Soma {
 public:
  // `arriving` bounds what one tick's synapses can add at each receptor.
  Soma(const Program& program, const std::vector<Interval>& arriving, Level level);

  // Runs the list of a stage over block.count neurons and leaves their spike counts in block.spikes. In ticks
  // there is one stage, 0; in event mode there is one for each receptor, and then that of the leak.
  void update(const Block<S>& block, int stage = 0) const;

  // Delivery and the whole list at once, where they can be; else null.
  const LinearPass<S>* linear_pass() const { return linear_pass_.get(); }

  const EntryTable<S>& entries() const { return entries_; }
  const RuleKernels<S>& rules() const { return rules_; }
  // What each register element holds between ticks; a restored state must lie in it.
  const std::vector<Interval>& resting() const { return resting_; }
  // The write that brings the arrived sum to a receptor's register.
  const Target& delivery(int receptor) const { return deliveries_[receptor]; }
  bool narrow_delivery(int receptor) const { return narrow_deliveries_[receptor]; }
  // Where delivery and list of a tick are one that a single pass does.
  const std::optional<LeakyList>& leaky_list() const { return leaky_list_; }

 private:
  struct Stage {
    std::string event;           // of the operations that act; empty: all act
    std::vector<int> receptors;  // that deliver before
    std::vector<std::unique_ptr<Operation<S>>> operations;
  };
  std::vector<Interval> bind(const std::vector<Interval>& begin, const std::vector<Interval>& arriving);
  void deliver(Binder<S>& binder, int receptor, const std::vector<Interval>& arriving);
  void bind_operations(Binder<S>& binder, Stage& stage);
  void settle(const std::vector<Interval>& arriving);
  void find_leaky_list(const std::vector<Interval>& arriving);

  const Program& program_;
  Level level_;
  EntryTable<S> entries_;
  RuleKernels<S> rules_;
  std::vector<Stage> stages_;
  std::vector<Target> deliveries_;
  std::vector<bool> narrow_deliveries_;
  std::vector<int> cleared_;  // elements set to 0 after the list
  std::vector<Interval> resting_;
  std::optional<LeakyList> leaky_list_;
  std::unique_ptr<const LinearPass<S>> linear_pass_;
};

// True where a neuron may give its spikes to another one: counts of a tick are not final before its last
// block.
bool has_aliases(const Program& program);

// Largest number of spikes that one neuron can make in one tick.
std::int64_t most_spikes_per_tick(const Program& program);

}  // namespace spikeloom
