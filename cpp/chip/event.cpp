#include "chip/event.hpp"

#include <variant>

namespace spikeloom {
namespace {

template <class S, class Sum>
class EventTick {
 public:
  EventTick(const Program& program, const Cores<S, Sum>& cores, CoreState<S, Sum>& state)
      : program_(program), cores_(cores), state_(state), spikes_(program.neurons(), 0) {}

  void run(const std::uint8_t* inputs, std::int64_t t) {
    if (inputs != nullptr)
      for (const std::int32_t line : program_.event_lines)
        for (std::uint8_t n = inputs[line]; n > 0; --n) input_spike(line);
    if (leaks_after(program_, t)) {
      cores_.read_leak(state_);
      cores_.write_neurons(state_, 0, program_.neurons(), program_.receptors());
      send();
      drain();
    }
    fired_in_tick(state_, spikes_);
  }

 private:
  void input_spike(std::int32_t line) {
    count_input_spike(program_, state_, line);
    for (const QueuedEvent& event : events_of_line(program_, line)) {
      if (waits_in_fifo(program_, event))
        push(event);
      else
        handle(event);
      drain();
    }
  }

  void push(const QueuedEvent& event) { push_event(cores_, state_, event, program_.spec.event->fifo_depth); }

  void drain() {
    for (std::int64_t handled = 0; !state_.fifo.empty(); ++handled) {
      if (handled == program_.spec.event->max_events) {
        ++state_.counters[cores_.unsettled_counter()];
        return;
      }
      handle(state_.fifo.front());
      state_.fifo.pop_front();  // it holds its place until its last write
    }
  }

  void handle(const QueuedEvent& event) {
    const bool single = event.kind == QueuedEvent::of_synapse;
    const std::int32_t first = single ? event.source : 0;
    cores_.read_event(state_, event);
    cores_.write_neurons(state_, first, single ? first + 1 : program_.neurons(),
                         static_cast<int>(event.receptor));
    send();
  }

  // The spikes of an event, in the order of the neurons.
  void send() {
    for (const Spike& spike : state_.fired) {
      spikes_[spike.neuron] += spike.n;
      count_packets(program_, state_, spike);
      for (std::int32_t k = 0; k < spike.n; ++k) push(event_of_neuron(program_, spike.neuron));
    }
  }

  const Program& program_;
  const Cores<S, Sum>& cores_;
  CoreState<S, Sum>& state_;
  Ints spikes_;  // [neuron] of this tick
};

}  // namespace

std::vector<QueuedEvent> events_of_line(const Program& program, std::int32_t line) {
  const std::int32_t receptor = program.receptor_of_line(line);
  if (program.spec.event->receptors[receptor] == EventKind::neuron)
    return {{QueuedEvent::of_line, line, 0, receptor}};
  std::vector<QueuedEvent> events;
  for (std::int32_t i = program.input_fan_start[line]; i < program.input_fan_start[line + 1]; ++i) {
    const Axon& axon = program.axon_rows[program.input_fan_axon[i]];
    for (std::int32_t r = axon.first_run; r < axon.last_run; ++r) {
      const Run& run = program.runs[r];
      for (std::int32_t k = 0; k < run.length; ++k) {
        const std::int32_t step = run.index < 0 ? k : program.index_target[run.index + k];
        events.push_back({QueuedEvent::of_synapse, axon.target + run.target + step,
                          axon.weight + run.weight + k, receptor});
      }
    }
  }
  return events;
}

QueuedEvent event_of_neuron(const Program& program, std::int32_t neuron) {
  return {QueuedEvent::of_neuron, neuron, 0, program.receptor_of_neuron(neuron)};
}

bool leaks_after(const Program& program, std::int64_t t) {
  const std::int32_t every = program.spec.event->leak_every_ticks;
  return every > 0 && (t + 1) % every == 0;
}

bool waits_in_fifo(const Program& program, const QueuedEvent& event) {
  return program.spec.event->receptors[event.receptor] != EventKind::synapse;
}

bool is_event_of(const Program& program, const QueuedEvent& event) {
  const std::int32_t sources = event.kind == QueuedEvent::of_line ? program.inputs() : program.neurons();
  if (event.source < 0 || event.source >= sources || event.receptor < 0 ||
      event.receptor >= program.receptors())
    return false;
  const EventKind kind = program.spec.event->receptors[event.receptor];
  if (event.kind == QueuedEvent::of_synapse) {
    const auto weights = std::visit([](const auto& values) { return values.size(); }, program.weights.values);
    return kind != EventKind::neuron && event.weight >= 0 && static_cast<std::size_t>(event.weight) < weights;
  }
  const std::int32_t receptor = event.kind == QueuedEvent::of_line ? program.receptor_of_line(event.source)
                                                                   : program.receptor_of_neuron(event.source);
  return (event.kind == QueuedEvent::of_line || event.kind == QueuedEvent::of_neuron) &&
         kind == EventKind::neuron && event.weight == 0 && event.receptor == receptor;
}

template <class S, class Sum>
void run_event_tick(const Program& program, const Cores<S, Sum>& cores, CoreState<S, Sum>& state,
                    const std::uint8_t* inputs, std::int64_t t) {
  EventTick<S, Sum>(program, cores, state).run(inputs, t);
}

template void run_event_tick(const Program&, const Cores<std::int32_t, std::int16_t>&,
                             CoreState<std::int32_t, std::int16_t>&, const std::uint8_t*, std::int64_t);
template void run_event_tick(const Program&, const Cores<std::int32_t, std::int32_t>&,
                             CoreState<std::int32_t, std::int32_t>&, const std::uint8_t*, std::int64_t);
template void run_event_tick(const Program&, const Cores<std::int32_t, std::int64_t>&,
                             CoreState<std::int32_t, std::int64_t>&, const std::uint8_t*, std::int64_t);
template void run_event_tick(const Program&, const Cores<double, double>&, CoreState<double, double>&,
                             const std::uint8_t*, std::int64_t);

}  // namespace spikeloom
