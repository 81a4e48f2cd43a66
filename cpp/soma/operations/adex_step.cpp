// adex_step: one step of the adaptive exponential neuron in parts, each of second order in y = x - ln(1 +
// e^x), x = (v - vt) / slope, in which the spike's rise is a straight line. The docstring of the operation
// has the lines.
#include <array>

#include "soma/operations/all.hpp"
#include "soma/real.hpp"

namespace spikeloom {
namespace {

constexpr double steepest = 50.0;  // exponent of a part

// Registers that the step writes, then what it only reads.
constexpr std::array registers = {"v", "w", "exc", "inh", "fired", "late"};
constexpr std::array operands = {"refractory", "in_exc",   "in_inh", "rest",      "vt",      "slope",
                                 "drive",      "e_exc",    "e_inh",  "tau_m",     "tau_exc", "tau_inh",
                                 "tau_w",      "coupling", "jump",   "threshold", "dt"};
enum Place {
  refractory,
  in_exc,
  in_inh,
  rest,
  vt,
  slope,
  drive,
  e_exc,
  e_inh,
  tau_m,
  tau_exc,
  tau_inh,
  tau_w,
  coupling,
  jump,
  threshold,
  dt
};
using Values = std::array<double, operands.size()>;

// (exp(z) - 1) / z.
SPIKELOOM_INLINE double rise_of(double z) {
  if (z > -0.01 && z < 0.01) return 1.0 + z / 2.0 * (1.0 + z / 3.0 * (1.0 + z / 4.0 * (1.0 + z / 5.0)));
  return (exp_of(z) - 1.0) / z;
}

// x - ln(1 + e^x).
SPIKELOOM_INLINE double bent(double x) {
  const double below = x < 0.0 ? x : 0.0;
  return below - log_of(1.0 + exp_of(x < 0.0 ? x : -x));
}

// A neuron within a step; since: time after the crossing, 0 before it.
struct Neuron {
  double v, w, exc, inh, fired, late;
  double since = 0.0;

  SPIKELOOM_INLINE double toward(const Values& p) const { return p[coupling] * (v - p[rest]); }

  // The membrane's part, with the conductances and the adaptation of its middle.
  SPIKELOOM_INLINE void move(const Values& p, double length, double g_exc, double g_inh, double middle) {
    const double y = bent((v - p[vt]) / p[slope]), q = exp_of(y), open = 1.0 + g_exc + g_inh;
    const double level =
        (p[rest] - v - middle + p[drive] + g_exc * (p[e_exc] - v) + g_inh * (p[e_inh] - v)) / p[slope];
    const double rate = ((1.0 - q) * level + q) / p[tau_m], steep = (q * (1.0 - level) - open) / p[tau_m];
    const double z = length * steep;
    const double after = y + length * rate * rise_of(z < steepest ? z : steepest);
    const double goal = bent((p[threshold] - p[vt]) / p[slope]);
    if (after > goal) {
      since = length * ((after - goal) / (after - (y < goal ? y : goal)));
      v = p[threshold] + p[slope];
    } else {
      v = p[vt] + p[slope] * (after - log_of(1.0 - exp_of(after)));
    }
  }

  // A part of the step; after a crossing the neuron waits for the next step.
  SPIKELOOM_INLINE void part(const Values& p, bool free, double length, double half) {
    if (since > 0.0) {
      since = since + length;
      return;
    }
    const double before = toward(p), middle = before + (w - before) * half;
    if (free) move(p, length, exc, inh, middle);
    if (since > 0.0) {
      w = before + (w - before) * exp_of(-((length - since) / p[tau_w]));
    } else {
      const double after = toward(p);
      w = after + (middle - after) * half;
    }
  }

  // The time since the last crossing, in which the adaptation went on as if the membrane had stood still.
  SPIKELOOM_INLINE void make_up(const Values& p, double passed) {
    const double before = toward(p);
    move(p, passed, exc * exp_of(passed / 2.0 / p[tau_exc]), inh * exp_of(passed / 2.0 / p[tau_inh]),
         before + (w - before) * exp_of(passed / 2.0 / p[tau_w]));
    if (since == 0.0) w = w + (toward(p) - before) * (1.0 - exp_of(-(passed / 2.0 / p[tau_w])));
  }

  SPIKELOOM_INLINE void step(const Values& p, int parts) {
    const bool free = p[refractory] == 0.0;
    const double passed = late * p[dt], length = p[dt] / parts;
    w = w + p[jump] * fired;
    if (fired != 0.0) w = toward(p) + (w - toward(p)) * exp_of(-(passed / p[tau_w]));
    fired = 0.0;
    if (free && passed > 0.0) make_up(p, passed);
    exc = exc + p[in_exc];
    inh = inh + p[in_inh];
    const double fall_exc = exp_of(-(length / 2.0 / p[tau_exc])),
                 fall_inh = exp_of(-(length / 2.0 / p[tau_inh]));
    const double half = exp_of(-(length / 2.0 / p[tau_w]));
    for (int k = 0; k < parts; ++k) {
      exc = exc * fall_exc;
      inh = inh * fall_inh;
      part(p, free, length, half);
      exc = exc * fall_exc;
      inh = inh * fall_inh;
    }
    if (free) late = since / p[dt] < 1.0 ? since / p[dt] : 1.0;
  }
};

struct Steps {
  SPIKELOOM_INLINE static void run(Neuron* neurons, const double* const* p, int parts, int count) {
    for (int i = 0; i < count; ++i) {
      Values values;
      for (std::size_t k = 0; k < values.size(); ++k) values[k] = p[k][i];
      neurons[i].step(values, parts);
    }
  }
};

class Adex final : public Operation<double> {
 public:
  explicit Adex(Binder<double>& binder)
      : acting(binder),
        parts(static_cast<int>(binder.integer("parts"))),
        step(kernel<Steps>(binder.level())) {
    for (std::size_t k = 0; k < registers.size(); ++k)
      targets[k] = binder.write(binder.element(registers[k]), {}, false);
    for (std::size_t k = 0; k < operands.size(); ++k) sources[k] = binder.source(operands[k]);
  }

  void run(const Block<double>& block) const override {
    Neuron neurons[block_size];
    const auto state = [&](std::size_t k) { return block.reg(targets[k].element); };
    for (int i = 0; i < block.count; ++i)
      neurons[i] = {state(0)[i], state(1)[i], state(2)[i], state(3)[i], state(4)[i], state(5)[i]};
    std::array<const double*, operands.size()> p;
    for (std::size_t k = 0; k < p.size(); ++k) p[k] = block.load<double>(sources[k], 0);
    step(neurons, p.data(), parts, block.count);
    store(block, neurons);
  }

 private:
  Acting acting;
  std::array<Target, registers.size()> targets;
  std::array<Source, operands.size()> sources;
  int parts;
  void (*step)(Neuron*, const double* const*, int, int);

  void store(const Block<double>& block, const Neuron* neurons) const {
    const std::int32_t* where = acting.where(block);
    double* out = block.scratch->as<double>(out_slot);
    constexpr double Neuron::* fields[] = {&Neuron::v,   &Neuron::w,     &Neuron::exc,
                                           &Neuron::inh, &Neuron::fired, &Neuron::late};
    for (std::size_t k = 0; k < targets.size(); ++k) {
      for (int i = 0; i < block.count; ++i) out[i] = neurons[i].*fields[k];
      block.commit(targets[k], static_cast<const double*>(out), where);
    }
  }
};

}  // namespace

std::unique_ptr<Operation<double>> make_adex_step(Binder<double>& binder) {
  return std::make_unique<Adex>(binder);
}

}  // namespace spikeloom
