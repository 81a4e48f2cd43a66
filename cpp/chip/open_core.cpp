// The controller open_core: what it counts, and what lives from one tick to the next.
#include <algorithm>
#include <limits>
#include <utility>

#include "base/bytes.hpp"
#include "chip/open_core_clock.hpp"

namespace spikeloom {
namespace {

class OpenCore final : public Controller {
 public:
  explicit OpenCore(const Program& program) : plan(program) {}
  CycleNames names() const override {
    CycleNames names;
    names.exact = true;
    names.phases = {"INPUT", "DELIVER", "UPDATE", "DRAIN"};
    names.stalls = {"several_spikes", "output_full", "send_blocked", "link_blocked", "outvoted"};
    names.buffers = {"output_fifo", "receive_fifo", "router"};
    names.buffer_sizes = {plan.cores(), plan.cores(), plan.width * plan.height * ports};
    names.counters = {"synaptic_words", "events",      "updates",          "packets",
                      "hops",           "fifo_pushes", "accumulator_words"};
    return names;
  }
  std::unique_ptr<Clock> start() const override;

  const OpenCorePlan plan;
};

std::unique_ptr<Clock> OpenCore::start() const {
  return std::make_unique<OpenCoreClock>(plan);
}

}  // namespace

CycleRow OpenCoreClock::row() const {
  CycleRow row = row_;
  row.stalls = {counts_.several_spikes, counts_.output_full, counts_.send_blocked, mesh_.blocked(),
                mesh_.outvoted()};
  for (const auto& unit : units_) row.high_water.push_back(unit.output().most());
  for (const auto& fifo : received_) row.high_water.push_back(fifo.most());
  for (std::int32_t place = 0; place < mesh_.places(); ++place)
    for (std::int32_t port = 0; port < ports; ++port)
      row.high_water.push_back(mesh_.input(place, port).most());
  const auto ticks = static_cast<std::int64_t>(row.ticks.size());
  const std::int64_t updates = ticks * plan_.cores() * plan_.neurons;
  row.counters = {words_,
                  events_,
                  updates,
                  counts_.packets,
                  hops_,
                  counts_.pushed_spikes + counts_.packets + hops_,
                  words_ + updates * plan_.program.receptors()};
  return row;
}

std::string OpenCoreClock::save() const {
  std::string bytes;
  put_vector(bytes, mesh_.last_granted());
  put_vector(bytes, schedule_.counts());
  for (const Ints& due : waiting_) put_vector(bytes, due);
  return bytes;
}

void OpenCoreClock::restore(const std::string& state) {
  std::vector<std::int32_t> granted;
  Ints counts;
  std::vector<Ints> waiting(waiting_.size());
  std::size_t at = 0;
  get_vector(state, at, granted);
  get_vector(state, at, counts);
  for (Ints& due : waiting) get_vector(state, at, due);
  const auto outside = [](const auto& values, std::int32_t most) {
    return std::any_of(values.begin(), values.end(),
                       [&](std::int32_t value) { return value < 0 || value > most; });
  };
  bool bad = at != state.size() || granted.size() != mesh_.last_granted().size() ||
             counts.size() != schedule_.counts().size() || outside(granted, ports - 1) ||
             outside(counts, std::numeric_limits<std::int32_t>::max());
  for (std::size_t k = 0; !bad && k < counts.size(); ++k) bad = counts[k] > plan_.most[k % plan_.most.size()];
  for (const Ints& due : waiting)
    bad = bad || (!due.empty() && due.size() != plan_.core_of_axon.size()) ||
          outside(due, std::numeric_limits<std::int32_t>::max());
  if (bad) damaged_state();
  reset();
  mesh_.last_granted() = std::move(granted);
  schedule_.restore(std::move(counts));
  waiting_ = std::move(waiting);
}

std::unique_ptr<Controller> make_open_core(const Program& program) {
  return std::make_unique<OpenCore>(program);
}

}  // namespace spikeloom
