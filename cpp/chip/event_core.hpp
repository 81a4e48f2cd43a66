// What a controller that counts clocks does to its core in event mode: one write at a time.
#pragma once

#include <cstdint>
#include <deque>

#include "chip/event.hpp"
#include "core/cores.hpp"

namespace spikeloom {

class EventCore {
 public:
  virtual ~EventCore() = default;
  virtual const std::deque<QueuedEvent>& fifo() const = 0;
  virtual void push(const QueuedEvent& event) = 0;  // dropped and counted where the FIFO is full
  virtual void pop() = 0;
  virtual void count_input(std::int32_t line) = 0;
  // What an event adds is read at its beginning; a leak adds nothing.
  virtual void read(const QueuedEvent& event) = 0;
  virtual void read_leak() = 0;
  // Writes one neuron, where the program has it, in a stage of the soma. Its spikes.
  virtual std::int32_t write(std::int32_t neuron, int stage) = 0;
  // The spikes of a whole tick, one count a neuron.
  virtual void end_tick(const Ints& spikes) = 0;
};

template <class S, class Sum>
class EventCoreOf final : public EventCore {
 public:
  EventCoreOf(const Program& program, const Cores<S, Sum>& cores, CoreState<S, Sum>& state)
      : program_(program), cores_(cores), state_(state) {}

  const std::deque<QueuedEvent>& fifo() const override { return state_.fifo; }
  void push(const QueuedEvent& event) override {
    push_event(cores_, state_, event, program_.spec.event->fifo_depth);
  }
  void pop() override { state_.fifo.pop_front(); }
  void count_input(std::int32_t line) override { count_input_spike(program_, state_, line); }
  void read(const QueuedEvent& event) override { cores_.read_event(state_, event); }
  void read_leak() override { cores_.read_leak(state_); }

  std::int32_t write(std::int32_t neuron, int stage) override {
    if (neuron >= program_.neurons()) return 0;
    cores_.write_neurons(state_, neuron, neuron + 1, stage);
    if (state_.fired.empty()) return 0;
    count_packets(program_, state_, state_.fired.front());
    return state_.fired.front().n;
  }

  void end_tick(const Ints& spikes) override { fired_in_tick(state_, spikes); }

 private:
  const Program& program_;
  const Cores<S, Sum>& cores_;
  CoreState<S, Sum>& state_;
};

}  // namespace spikeloom
