// What each state of the controller does in a clock. Registers hold what they held when the clock began,
// until take_over().
#include <algorithm>

#include "chip/serial_event.hpp"

namespace spikeloom {

void SerialClock::one_clock() {
  const bool was_idle = idle();
  take_arrivals(was_idle);
  show(r_.state);
  count_phase(r_.state, 1);
  row_.busy[0] += !was_idle || r_.arrived > 0;
  drive_request();
  drive_acknowledge();
  spiked_ = false;
  act();
  take_over();
  row_.high_water[0] = std::max<std::int64_t>(row_.high_water[0], core_->fifo().size());
  ++r_.clock;
}

// Requests whose time has come; one that does not find the chip idle is late.
void SerialClock::take_arrivals(bool was_idle) {
  for (; next_request() <= r_.clock; ++r_.arrived) row_.counters[late] += !was_idle || r_.arrived > 0;
}

// A request rises while there is no acknowledge, and falls req_fall clocks after it.
void SerialClock::drive_request() {
  if (r_.request == 0 && r_.arrived > 0 && r_.state != request_down) r_.request = 1;
  if (r_.request == 0 || r_.state != request_down || r_.clock < r_.ack_since + timing_.req_fall) return;
  r_.request = 0;
  requests_.pop_front();
  --r_.arrived;
  ++row_.counters[requests_taken];
}

// The partner of the output answers its request, and takes the answer back.
void SerialClock::drive_acknowledge() {
  const std::int64_t after = r_.clock - r_.out_since;
  if (r_.out_request != 0 && after >= timing_.ack_rise) r_.out_ack = 1;
  if (r_.out_request == 0 && after >= timing_.ack_fall) r_.out_ack = 0;
}

void SerialClock::act() {
  if (r_.busy != 0 && r_.state != request_down) {  // all counters stand still
    ++row_.stalls[output_busy];
    return;
  }
  switch (r_.state) {
    case waiting:
      return decide();
    case leak:
      return sweep(program_.receptors(), request_down);
    case popping:
      return sweep(static_cast<int>(core_->fifo().front().receptor), timing_.pop_tail > 0 ? tail : waiting);
    case pushing:
      core_->push(requests_.front().event);
      return acknowledge();
    case synapse:
      return single(requests_.front().event);
    case pop_virtual:
      return single(core_->fifo().front());
    case tail:
      if (++r_.count == timing_.pop_tail) pop();
      return;
    default:
      if (r_.request_second == 0) enter(waiting);
  }
}

// A full FIFO first, then a request, then the FIFO.
void SerialClock::decide() {
  const bool full = core_->fifo().size() >= static_cast<std::size_t>(program_.spec.event->fifo_depth);
  if (full || (r_.request_second == 0 && !core_->fifo().empty())) {
    const QueuedEvent& event = core_->fifo().front();
    core_->read(event);
    enter(event.kind == QueuedEvent::of_synapse ? pop_virtual : popping);
  } else if (r_.request_second != 0) {
    const Request& request = requests_.front();
    if (request.kind == Request::of_leak) core_->read_leak();
    if (request.kind == Request::to_synapse) core_->read(request.event);
    enter(request.kind == Request::of_leak ? leak : request.kind == Request::to_synapse ? synapse : pushing);
  }
}

// Neuron j is read in clock 2j and written in clock 2j + 1.
void SerialClock::sweep(int stage, State next) {
  if (r_.count % 2 == 1) write(static_cast<std::int32_t>(r_.count / 2), stage);
  if (++r_.count < timing_.sweep) return;
  if (next == request_down)
    acknowledge();
  else if (next == waiting)
    pop();
  else
    enter(next);
}

void SerialClock::single(const QueuedEvent& event) {
  if (r_.count++ == 0) return;
  write(event.source, static_cast<int>(event.receptor));
  if (r_.state == synapse)
    acknowledge();
  else
    pop();
}

void SerialClock::write(std::int32_t neuron, int stage) {
  view_.written[0] = neuron;
  const std::int32_t n = core_->write(neuron, stage);
  if (n == 0) return;
  spiked_ = true;
  spikes_[neuron] += n;
  view_.spikes.push_back({0, neuron, n});
  core_->push(event_of_neuron(program_, neuron));
}

void SerialClock::enter(State next) {
  r_.state = next;
  r_.count = 0;
}

void SerialClock::acknowledge() {
  enter(request_down);
  r_.ack_since = r_.clock + 1;
}

void SerialClock::pop() {
  core_->pop();
  ++row_.counters[popped];
  enter(waiting);
}

// At the end of the clock.
void SerialClock::take_over() {
  r_.request_second = r_.request_first;
  r_.request_first = r_.request;
  const std::int64_t before = r_.out_request;
  if (spiked_ && r_.ack_second == 0) {
    r_.out_request = r_.busy = 1;
  } else if (r_.ack_second != 0) {
    r_.out_request = 0;
    r_.busy = 1;
  } else if (r_.ack_before != 0) {
    r_.out_request = r_.busy = 0;
  }
  if (before != r_.out_request) r_.out_since = r_.clock + 1;
  r_.ack_before = r_.ack_second;
  r_.ack_second = r_.ack_first;
  r_.ack_first = r_.out_ack;
}

}  // namespace spikeloom
