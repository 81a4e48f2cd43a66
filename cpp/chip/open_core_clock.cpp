#include "chip/open_core_clock.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace spikeloom {
namespace {

constexpr std::int32_t go_after = 2;  // clocks from the rise of `quiet` to `go`

}  // namespace

OpenCoreClock::OpenCoreClock(const OpenCorePlan& plan)
    : plan_(plan),
      received_(plan.cores(), Fifo<Packet>(plan.receive_fifo)),
      mesh_(plan.width, plan.height, plan.buffer),
      schedule_(plan),
      work_(plan.cores()),
      input_clocks_(plan.cores()),
      deliver_clocks_(plan.cores()) {
  for (std::int32_t core = 0; core < plan.cores(); ++core) units_.emplace_back(plan, core);
  reset();
}

void OpenCoreClock::reset() {
  for (auto& unit : units_) unit.reset();
  for (auto& fifo : received_) fifo.clear();
  mesh_.reset();
  schedule_.reset();
  waiting_.assign(plan_.slots, {});
  given_.assign(plan_.program.axons(), -1);
  over_ = true;
  counts_ = {};
  words_ = events_ = hops_ = 0;
  row_ = {};
  row_.busy.resize(plan_.cores());
  view_ = {};
}

// Spikes from outside: what is due now is written, what is due later waits.
void OpenCoreClock::add_inputs(const TickWork& work) {
  const Program& program = plan_.program;
  if (work.inputs == nullptr) return;
  for (std::int32_t line = 0; line < program.inputs(); ++line) {
    if (work.inputs[line] == 0) continue;
    for (std::int32_t i = program.input_fan_start[line]; i < program.input_fan_start[line + 1]; ++i) {
      const std::int32_t axon = program.input_fan_axon[i];
      if (plan_.delay[axon] == 0)
        give(axon, work.inputs[line]);
      else
        wait(tick_ + plan_.delay[axon], axon, work.inputs[line]);
    }
  }
}

// One write of INPUT for each axon that has some, as sums of saturated counts are saturated sums.
void OpenCoreClock::give(std::int32_t axon, std::int64_t n) {
  schedule_.add(tick_, axon, n);
  if (given_[axon] == tick_) return;
  given_[axon] = tick_;
  ++work_[plan_.core_of_axon[axon]].inputs;
}

void OpenCoreClock::wait(std::int64_t due, std::int32_t axon, std::int32_t n) {
  Ints& waiting = waiting_[due % plan_.slots];
  if (waiting.empty()) waiting.resize(plan_.program.axons());
  waiting[axon] += n;
}

void OpenCoreClock::take_waiting() {
  Ints& due = waiting_[tick_ % plan_.slots];
  for (std::size_t axon = 0; axon < due.size(); ++axon)
    if (due[axon] != 0) give(static_cast<std::int32_t>(axon), due[axon]);
  due.clear();
}

void OpenCoreClock::take_schedule() {
  schedule_.take(tick_, [&](std::int32_t axon, std::int64_t n) {
    work_[plan_.core_of_axon[axon]].rows += 1 + n * plan_.row_clocks[axon];
    words_ += n * plan_.words[axon];
    events_ += n * plan_.events[axon];
  });
}

// Spikes come by ascending core.
void OpenCoreClock::take_spikes(const std::vector<Spike>& fired) {
  const Ints& start = plan_.program.core_neuron_start;
  std::int32_t core = 0;
  for (const Spike& spike : fired) {
    if (spike.neuron < start[core] || spike.neuron >= start[core + 1])
      core = plan_.program.core_of(spike.neuron);
    work_[core].spikes.push_back({core, spike.neuron - start[core], spike.n});
  }
}

void OpenCoreClock::begin(const TickWork& work) {
  tick_ = work.tick;
  for (Work& core : work_) {
    core.inputs = core.rows = 0;
    core.spikes.clear();
  }
  add_inputs(work);
  take_waiting();
  take_schedule();
  take_spikes(*work.fired);
  for (std::size_t core = 0; core < work_.size(); ++core) {
    input_clocks_[core] = 2 * work_[core].inputs + 1;
    deliver_clocks_[core] = plan_.axons + work_[core].rows + 1;
    units_[core].begin(input_clocks_[core], deliver_clocks_[core], work_[core].spikes);
  }
  clock_ = 0;
  quiet_since_ = -1;
  over_ = false;
}

// What `quiet` is in the clock that comes next.
bool OpenCoreClock::quiet() const {
  return mesh_.idle() &&
         std::all_of(units_.begin(), units_.end(), [](const auto& unit) { return unit.done(); }) &&
         std::all_of(received_.begin(), received_.end(), [](const auto& fifo) { return fifo.empty(); });
}

std::int64_t OpenCoreClock::calm() const {
  if (!mesh_.idle()) return 0;
  std::int64_t clocks = std::numeric_limits<std::int64_t>::max();
  for (std::size_t core = 0; core < units_.size(); ++core)
    clocks = std::min(clocks, units_[core].calm(received_[core]));
  return clocks == std::numeric_limits<std::int64_t>::max() ? 0 : clocks;  // all wait for the barrier
}

void OpenCoreClock::skip(std::int64_t clocks) {
  for (auto& unit : units_) unit.skip(clocks);
  clock_ += clocks;
}

void OpenCoreClock::one(bool watched) {
  if (quiet_since_ < 0 && quiet()) quiet_since_ = clock_;
  const bool go = quiet_since_ >= 0 && clock_ == quiet_since_ + go_after;
  if (watched) watch();
  PushedSpike spike{};
  for (std::size_t core = 0; core < units_.size(); ++core)
    if (units_[core].step(tick_, mesh_, received_[core], schedule_, counts_, spike) && watched)
      view_.spikes.push_back(spike);
  mesh_.step(received_);
  hops_ += static_cast<std::int64_t>(mesh_.hops().size());
  if (watched) {
    for (const Hop& hop : mesh_.hops())
      view_.transfers.push_back({hop.place % plan_.width, hop.place / plan_.width, hop.output});
    std::sort(view_.transfers.begin(), view_.transfers.end());
    view_.go = go;
  }
  mesh_.settle();
  for (auto& unit : units_) unit.settle();
  for (auto& fifo : received_) fifo.settle();
  ++clock_;
  if (go) close();
}

// Registers as they are when the clock begins.
void OpenCoreClock::watch() {
  view_ = {};
  view_.clock = clock_;
  for (const auto& unit : units_) view_.phase.push_back(unit.phase());
  for (const auto& unit : units_) view_.written.push_back(unit.written());
  for (const auto& unit : units_) view_.queues.push_back(unit.output().count());
  for (const auto& fifo : received_) view_.queues.push_back(fifo.count());
  for (std::int32_t place = 0; place < mesh_.places(); ++place)
    for (std::int32_t port = 0; port < ports; ++port)
      view_.queues.push_back(mesh_.input(place, port).count());
}

void OpenCoreClock::close() {
  over_ = true;
  row_.ticks.push_back(clock_);
  Longs longest(phases);
  for (std::size_t core = 0; core < units_.size(); ++core) {
    const Longs spent = {input_clocks_[core], deliver_clocks_[core], units_[core].update_clocks()};
    const std::int64_t busy = spent[0] + spent[1] + spent[2];
    for (std::size_t phase = 0; phase < spent.size(); ++phase)
      longest[phase] = std::max(longest[phase], spent[phase]);
    longest[drain_phase] = std::max(longest[drain_phase], clock_ - busy);
    row_.busy[core] += busy;
  }
  row_.phases.insert(row_.phases.end(), longest.begin(), longest.end());
}

}  // namespace spikeloom
