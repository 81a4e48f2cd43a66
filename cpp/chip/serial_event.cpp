#include "chip/serial_event.hpp"

#include <algorithm>
#include <limits>

#include "base/bytes.hpp"
#include "base/error.hpp"

namespace spikeloom {
namespace {

std::int64_t whole(const Program& program, const char* key) {
  const auto found = program.spec.cycles.numbers.find(key);
  if (found == program.spec.cycles.numbers.end())
    throw ProfileError(std::string("cycles.") + key, "is missing; the controller serial_event needs it");
  return static_cast<std::int64_t>(found->second);
}

class SerialEvent final : public Controller {
 public:
  explicit SerialEvent(const Program& program) : program_(program), timing_(program) {}
  CycleNames names() const override { return SerialClock::names(); }
  std::unique_ptr<Clock> start() const override { return std::make_unique<SerialClock>(program_, timing_); }

 private:
  const Program& program_;
  SerialTiming timing_;
};

}  // namespace

SerialTiming::SerialTiming(const Program& program)
    : tick_clocks(whole(program, "tick_clocks")),
      pop_tail(whole(program, "pop_tail")),
      req_fall(whole(program, "aer.req_fall")),
      ack_rise(whole(program, "aer.ack_rise")),
      ack_fall(whole(program, "aer.ack_fall")),
      input_gap(whole(program, "aer.input_gap")) {
  if (!program.spec.event) throw ProfileError("cycles.controller", "serial_event needs time.mode = event");
  sweep = 2 * std::int64_t{program.visited()};
}

CycleNames SerialClock::names() {
  CycleNames names;
  names.exact = true;
  names.phases = {"WAIT", "LEAK", "SYNAPSE", "PUSH", "POP", "POP_VIRTUAL", "TAIL", "REQUEST_DOWN"};
  names.stalls = {"output"};
  names.buffers = {"fifo"};
  names.buffer_sizes = {1};
  names.counters = {"requests", "late", "overruns", "popped"};
  return names;
}

SerialClock::SerialClock(const Program& program, const SerialTiming& timing)
    : program_(program), timing_(timing), spikes_(program.neurons(), 0) {
  reset();
}

void SerialClock::reset() {
  r_ = {};
  requests_.clear();
  std::fill(spikes_.begin(), spikes_.end(), 0);
  forget();
}

void SerialClock::begin(const TickWork& work) {
  core_ = work.core;
  r_.clock = start_ = work.tick * timing_.tick_clocks;
  ask(work);
  row_.ticks.push_back(timing_.tick_clocks);
  row_.phases.insert(row_.phases.end(), states, 0);
}

// The requests of a tick: its inputs, then the leak.
void SerialClock::ask(const TickWork& work) {
  std::int64_t at = start_;
  const auto add = [&](Request::Kind kind, const QueuedEvent& event) {
    requests_.push_back({at, kind, event});
    at += timing_.input_gap;
  };
  for (const std::int32_t line : program_.event_lines)
    for (std::uint8_t n = work.inputs == nullptr ? 0 : work.inputs[line]; n > 0; --n) {
      core_->count_input(line);
      for (const QueuedEvent& event : events_of_line(program_, line))
        add(waits_in_fifo(program_, event) ? Request::to_push : Request::to_synapse, event);
    }
  if (leaks_after(program_, work.tick)) add(Request::of_leak, {});
}

bool SerialClock::step(std::int64_t clocks) {
  const std::int64_t end = start_ + timing_.tick_clocks;
  const std::int64_t stop = clocks < end - r_.clock ? r_.clock + clocks : end;
  while (r_.clock < stop) {
    const std::int64_t calm = std::min(stop, next_request()) - r_.clock;
    if (calm > 0 && idle())
      skip(calm);
    else
      one_clock();
  }
  view_.clock = r_.clock - 1 - start_;
  view_.go = r_.clock == end;
  if (view_.go) end_tick();
  return view_.go;
}

void SerialClock::end_tick() {
  row_.counters[overruns] += !idle() || !requests_.empty();
  core_->end_tick(spikes_);
  std::fill(spikes_.begin(), spikes_.end(), 0);
}

std::int64_t SerialClock::next_request() const {
  const bool more = r_.arrived < static_cast<std::int64_t>(requests_.size());
  return more ? requests_[r_.arrived].clock : std::numeric_limits<std::int64_t>::max();
}

// Nothing happens, and nothing is on its way.
bool SerialClock::idle() const {
  return r_.state == waiting && core_->fifo().empty() && r_.busy == 0 && r_.arrived == 0 &&
         r_.request_first == 0 && r_.request_second == 0;
}

void SerialClock::skip(std::int64_t clocks) {
  show(waiting);
  count_phase(waiting, clocks);
  r_.clock += clocks;
}

void SerialClock::show(std::int64_t state) {
  view_.phase[0] = static_cast<std::int32_t>(state);
  view_.written[0] = -1;
  view_.queues[0] = static_cast<std::int32_t>(core_->fifo().size());
  view_.spikes.clear();
}

void SerialClock::count_phase(std::int64_t state, std::int64_t clocks) {
  row_.phases[row_.phases.size() - states + state] += clocks;
}

void SerialClock::forget() {
  row_ = {};
  row_.busy.resize(1);
  row_.stalls.resize(stalls);
  row_.high_water.resize(1);
  row_.counters.resize(counters);
  view_ = {};
  view_.phase.assign(1, waiting);
  view_.written.assign(1, -1);
  view_.queues.assign(1, 0);
}

std::string SerialClock::save() const {
  std::string bytes;
  put(bytes, &r_, 1);
  put_vector(bytes, std::vector<Request>(requests_.begin(), requests_.end()));
  return bytes;
}

void SerialClock::restore(const std::string& bytes) {
  Registers kept;
  std::vector<Request> asked;
  std::size_t at = 0;
  get(bytes, at, &kept, 1);
  get_vector(bytes, at, asked);
  if (at != bytes.size()) damaged_state();
  check(kept, static_cast<std::int64_t>(asked.size()));
  for (const Request& request : asked) check(request);
  r_ = kept;
  requests_.assign(asked.begin(), asked.end());
  forget();
}

void SerialClock::check(const Registers& kept, std::int64_t requests) const {
  const bool serves =
      kept.state == leak || kept.state == synapse || kept.state == pushing || kept.request != 0;
  if (kept.state < 0 || kept.state >= states || kept.arrived < 0 || kept.arrived > requests ||
      (serves && kept.arrived == 0) || kept.count < 0 || kept.count > timing_.sweep + timing_.pop_tail)
    damaged_state();
}

void SerialClock::check(const Request& request) const {
  if (request.kind == Request::of_leak) return;
  if (!is_event_of(program_, request.event) || request.event.kind == QueuedEvent::of_neuron) damaged_state();
  const Request::Kind kind = waits_in_fifo(program_, request.event) ? Request::to_push : Request::to_synapse;
  if (request.kind != kind) damaged_state();
}

std::unique_ptr<Controller> make_serial_event(const Program& program) {
  return std::make_unique<SerialEvent>(program);
}

}  // namespace spikeloom
