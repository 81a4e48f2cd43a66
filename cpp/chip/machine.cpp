// The narrowest exact machine for a program.
#include "chip/machine.hpp"

#include <algorithm>

#include "chip/loaded_machine.hpp"
#include "synapse/bounds.hpp"

namespace spikeloom {
namespace {

using Shared = std::shared_ptr<const Program>;

std::vector<Interval> in_units(const std::vector<Interval>& bounds, int shift) {
  std::vector<Interval> units;
  for (const Interval& bound : bounds)
    units.push_back(multiply(bound, {std::int64_t{1} << shift, std::int64_t{1} << shift}));
  return units;
}

bool all_within(const std::vector<Interval>& bounds, const Interval& range) {
  return std::all_of(bounds.begin(), bounds.end(), [&](const Interval& b) { return b.within(range); });
}

// How much can arrive with so many spikes of an input line in a tick, and what that takes.
struct Arriving {
  std::vector<Interval> sums, units;  // in units of 2^shift, and of the register
  int sum_bytes;                      // of the accumulators

  Arriving(const Program& program, std::int64_t most_of_line)
      : sums(arriving_bounds(program, most_of_line, most_spikes_per_tick(program))),
        units(in_units(sums, program.weights.shift)),
        sum_bytes(!all_within(sums, int32_range)                                        ? 8
                  : all_within(sums, int16_range) && has_short_weights(program.weights) ? 2
                                                                                        : 4) {}

  static bool has_short_weights(const Weights& weights) {
    return std::visit([](const auto& values) { return sizeof(values[0]) <= 2; }, weights.values);
  }
};

std::unique_ptr<Machine> digital(const Shared& program, const std::shared_ptr<const Fans>& fans,
                                 const Arriving& arriving, Level level) {
  const auto make = [&]<class Sum>() -> std::unique_ptr<Machine> {
    return std::make_unique<LoadedMachine<std::int32_t, Sum>>(program, fans, arriving.units, level);
  };
  if (arriving.sum_bytes == 2) return make.template operator()<std::int16_t>();
  if (arriving.sum_bytes == 4) return make.template operator()<std::int32_t>();
  return make.template operator()<std::int64_t>();
}

// Lanes for inputs of one spike at most, which encoders make, and lanes for any: same results, different
// speed.
class TwoWidths final : public Machine {
 public:
  TwoWidths(std::unique_ptr<Machine> single, std::unique_ptr<Machine> any)
      : single_(std::move(single)), any_(std::move(any)) {}

  RunResult run(const RunRequest& request) const override {
    const std::int64_t size = request.samples * request.input_ticks * program().inputs();
    std::uint8_t bits = 0;  // with a way out of the loop it would be one byte at a time
    for (std::int64_t i = 0; i < size; ++i) bits |= request.inputs[i];
    return (bits <= 1 ? single_ : any_)->run(request);
  }
  std::unique_ptr<Session> open(const std::vector<Trial>& trials, bool cycles) const override {
    return any_->open(trials, cycles);
  }
  CycleNames cycle_names() const override { return any_->cycle_names(); }
  const Program& program() const override { return any_->program(); }
  std::string kernels() const override { return any_->kernels(); }
  std::string accumulator() const override { return any_->accumulator(); }
  bool one_pass() const override { return single_->one_pass() && any_->one_pass(); }

 private:
  std::unique_ptr<Machine> single_, any_;
};

}  // namespace

std::unique_ptr<Machine> load(Spec spec, Arrays arrays) {
  const Level level = active_level();
  const auto program = std::make_shared<const Program>(std::move(spec), std::move(arrays));
  if (program->spec.analog)
    return std::make_unique<LoadedMachine<double, double>>(program, nullptr, std::vector<Interval>{}, level);
  const auto fans = packed_fans(*program, level);
  const Arriving any(*program, most_input_spikes), single(*program, 1);
  auto machine = digital(program, fans, any, level);
  if (any.sum_bytes == single.sum_bytes && all_within(any.units, int32_range)) return machine;
  return std::make_unique<TwoWidths>(digital(program, fans, single, level), std::move(machine));
}

}  // namespace spikeloom
