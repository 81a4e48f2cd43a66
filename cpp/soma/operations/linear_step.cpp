// linear_step: P y of linear_exact, and where the membrane crosses its threshold on its exact path within the
// step. The docstring of the operation has the lines.
#include <array>

#include "soma/operations/all.hpp"
#include "soma/real.hpp"

namespace spikeloom {
namespace {

constexpr int most_others = 7;  // states beside the membrane
constexpr int most_held = 8;
constexpr int guesses = 4;  // at a crossing or a peak

constexpr std::array registers = {"late", "after", "fired"};
constexpr std::array operands = {"refractory", "threshold", "value", "dt"};

// What a step of one neuron only reads; of other states k, and of held sources.
struct Given {
  double refractory, threshold, value, dt, tau;
  double rest = 0.0;  // of held sources
  int others, sources;
  double taus[most_others], gains[most_others], falls[most_others];
  double row[1 + most_others + most_held];  // P's, of the membrane
  double held[most_held];
};

// The membrane on its way from `start`, with currents that only decay.
struct Path {
  const Given& p;
  double start;
  double current[most_others] = {};

  struct Point {
    double v, slope, bend;
  };

  SPIKELOOM_INLINE Point at(double s) const {
    const double reach = s / p.tau, left = exp_of(-reach);
    double v = p.rest + (start - p.rest) * left, pull = p.rest, bend = 0.0;
    for (int k = 0; k < p.others; ++k) {
      const double steps = s / p.taus[k], fall = exp_of(-steps);
      v = v + current[k] * (reach * share(reach - steps, fall, left));
      pull = pull + current[k] * fall;
      bend = bend - current[k] * fall / p.taus[k];
    }
    const double slope = (pull - v) / p.tau;
    return {v, slope, (bend - slope) / p.tau};
  }

  // (fall - left) / z.
  SPIKELOOM_INLINE static double share(double z, double fall, double left) {
    if (z > -0.01 && z < 0.01)
      return left * (1.0 + z / 2.0 * (1.0 + z / 3.0 * (1.0 + z / 4.0 * (1.0 + z / 5.0))));
    return (fall - left) / z;
  }
};

// A guess and the interval that it is in: the next is where the tangent meets 0, or the middle.
struct Bracket {
  double s, low, high;

  SPIKELOOM_INLINE void narrow(bool past, double height, double slope, bool usable) {
    (past ? high : low) = s;
    const double next = s - height / (usable ? slope : 1.0);
    s = !usable ? (low + high) / 2.0 : next < low ? low : next > high ? high : next;
  }
};

// The time of the crossing on the way to `until`, where the membrane is at `top`.
SPIKELOOM_INLINE double crossing(const Path& path, double until, double top) {
  const double threshold = path.p.threshold;
  Bracket found{until * ((threshold - path.start) / (top - path.start)), 0.0, until};
  for (int k = 0; k < guesses; ++k) {
    const Path::Point at = path.at(found.s);
    found.narrow(at.v > threshold, at.v - threshold, at.slope, at.slope > 0.0);
  }
  return found.s;
}

// The time of the peak within a length, at whose ends the membrane rises and falls.
SPIKELOOM_INLINE double peak(const Path& path, double length, double rising, double falling) {
  Bracket found{length * (rising / (rising - falling)), 0.0, length};
  for (int k = 0; k < guesses; ++k) {
    const Path::Point at = path.at(found.s);
    found.narrow(!(at.slope > 0.0), at.slope, at.bend, at.bend < 0.0);
  }
  return found.s;
}

// What the step writes.
struct Neuron {
  double v, late, after, fired;
  double x[most_others];

  SPIKELOOM_INLINE void step(const Given& p) {
    const bool free = p.refractory == 0.0, last = p.refractory == 1.0;
    if (free && fired != 0.0) v = after;
    fired = 0.0;
    const double length = free ? p.dt : last ? late * p.dt : 0.0;
    double end = free ? row_of(p) : p.value;
    Path path{p, free ? v : p.value};
    const double rising = move_others(path, free, length), falling = pull_of(p);
    if (!free && length > 0.0) end = path.at(length).v;
    v = end;
    if (free || last) {
      late = 0.0;
      after = p.value;
    }
    if (length > 0.0) spike(path, length, end, rising - path.start, falling - end);
  }

 private:
  SPIKELOOM_INLINE double row_of(const Given& p) const {
    double sum = 0.0 + p.row[0] * v;
    for (int k = 0; k < p.others; ++k) sum = sum + p.row[1 + k] * x[k];
    for (int k = 1 + p.others; k < p.sources; ++k) sum = sum + p.row[k] * p.held[k - 1 - p.others];
    return sum;
  }

  // Sets the path's currents and moves what makes them; what the membrane is pulled to at the path's start.
  SPIKELOOM_INLINE double move_others(Path& path, bool free, double length) {
    const Given& p = path.p;
    double pull = p.rest;
    for (int k = 0; k < p.others; ++k) {
      path.current[k] = p.gains[k] * x[k];
      if (!free) path.current[k] = path.current[k] * exp_of(-((p.dt - length) / p.taus[k]));
      pull = pull + path.current[k];
      x[k] = 0.0 + p.falls[k] * x[k];
    }
    return pull;
  }

  SPIKELOOM_INLINE double pull_of(const Given& p) const {
    double pull = p.rest;
    for (int k = 0; k < p.others; ++k) pull = pull + p.gains[k] * x[k];
    return pull;
  }

  SPIKELOOM_INLINE void spike(const Path& path, double length, double end, double rising, double falling) {
    const double threshold = path.p.threshold;
    if (path.start > threshold) return cross(path.p, path.start, path.start, length, end);
    if (end > threshold) return cross(path.p, threshold, end, length - crossing(path, length, end), end);
    if (!(rising > 0.0 && falling < 0.0)) return;
    const double highest = peak(path, length, rising, falling), top = path.at(highest).v;
    if (top > threshold) cross(path.p, threshold, top, length - crossing(path, highest, top), end);
  }

  SPIKELOOM_INLINE void cross(const Given& p, double from, double top, double since, double end) {
    v = top;
    late = since / p.dt;
    after = end - (from - p.value) * exp_of(-(since / p.tau));
  }
};

// The operands of a block, each an array by neuron.
struct Arrays {
  int others, sources, pulls;  // pulls: held sources of the membrane
  std::array<const double*, operands.size()> own;
  std::array<const double*, 1 + most_others> taus;
  std::array<const double*, most_others> gains, falls;
  std::array<const double*, 1 + most_others + most_held> row;
  std::array<const double*, most_held> held, held_gains;  // in the order of y, which is that of `gains`

  SPIKELOOM_INLINE Given at(int i) const {
    Given p;
    p.refractory = own[0][i], p.threshold = own[1][i], p.value = own[2][i], p.dt = own[3][i];
    p.tau = taus[0][i];
    p.others = others, p.sources = sources;
    for (int k = 0; k < pulls; ++k) {
      p.held[k] = held[k][i];
      p.rest = p.rest + held_gains[k][i] * p.held[k];
    }
    for (int k = 0; k < others; ++k)
      p.taus[k] = taus[1 + k][i], p.gains[k] = gains[k][i], p.falls[k] = falls[k][i];
    for (int k = 0; k < sources; ++k) p.row[k] = row[k][i];
    return p;
  }
};

struct Steps {
  SPIKELOOM_INLINE static void run(Neuron* neurons, const Arrays& arrays, int count) {
    for (int i = 0; i < count; ++i) neurons[i].step(arrays.at(i));
  }
};

// Sources of one kind, in order.
template <std::size_t most>
struct Sources {
  std::array<Source, most> found;
  std::size_t count = 0;

  void take(Binder<double>& binder, const std::string& field, const std::vector<Operand>& names) {
    if (names.size() > most) binder.refuse(field, "has too many entries");
    for (const Operand& name : names) add(binder.source(name, field));
  }
  void add(const Source& source) { found[count++] = source; }
  void load(const Block<double>& block, std::array<const double*, most>& arrays) const {
    for (std::size_t k = 0; k < count; ++k) arrays[k] = block.load<double>(found[k], 0);
  }
};

class LinearStep final : public Operation<double> {
 public:
  explicit LinearStep(Binder<double>& binder) : acting_(binder), step_(kernel<Steps>(binder.level())) {
    const auto &states = binder.operands("states"), &matrix = binder.operands("matrix");
    others_ = states.size() - 1;
    sources_ = binder.operands("sources").size();
    if (states.empty() || others_ > most_others) binder.refuse("states", "needs 1 to 8 registers");
    if (matrix.size() != states.size() * sources_) binder.refuse("matrix", "has the wrong size");
    for (const Operand& state : states)
      targets_.push_back(binder.write(binder.source(state, "states").index, {}, false));
    for (const char* name : registers) targets_.push_back(binder.write(binder.element(name), {}, false));
    for (const char* name : operands) own_.add(binder.source(name));
    bind_rows(binder, matrix);
  }

  void run(const Block<double>& block) const override {
    Arrays arrays{static_cast<int>(others_),
                  static_cast<int>(sources_),
                  static_cast<int>(held_.count),
                  {},
                  {},
                  {},
                  {},
                  {},
                  {},
                  {}};
    own_.load(block, arrays.own);
    taus_.load(block, arrays.taus);
    gains_.load(block, arrays.gains);
    falls_.load(block, arrays.falls);
    row_.load(block, arrays.row);
    held_.load(block, arrays.held);
    held_gains_.load(block, arrays.held_gains);
    Neuron neurons[block_size];
    for (std::size_t k = 0; k < targets_.size(); ++k) {
      const double* state = block.reg(targets_[k].element);
      for (int i = 0; i < block.count; ++i) place(neurons[i], k) = state[i];
    }
    step_(neurons, arrays, block.count);
    store(block, neurons);
  }

 private:
  Acting acting_;
  void (*step_)(Neuron*, const Arrays&, int);
  std::size_t others_ = 0, sources_ = 0;
  std::vector<Target> targets_;  // the states, then `registers`
  Sources<operands.size()> own_;
  Sources<1 + most_others> taus_;
  Sources<most_others> gains_, falls_;
  Sources<1 + most_others + most_held> row_;
  Sources<most_held> held_, held_gains_;

  void bind_rows(Binder<double>& binder, const std::vector<Operand>& matrix) {
    const auto columns = static_cast<std::ptrdiff_t>(sources_);
    taus_.take(binder, "taus", binder.operands("taus"));
    gains_.take(binder, "gains", binder.operands("gains"));
    held_.take(binder, "held", binder.operands("held"));
    held_gains_.take(binder, "held_gains", binder.operands("held_gains"));
    row_.take(binder, "matrix", {matrix.begin(), matrix.begin() + columns});
    for (std::size_t k = 1; k <= others_; ++k) falls_.take(binder, "matrix", {matrix[k * sources_ + k]});
    if (sources_ != 1 + others_ + held_.count)
      binder.refuse("sources", "must be the states and what is held");
  }

  double& place(Neuron& neuron, std::size_t k) const {
    if (k == 0) return neuron.v;
    if (k <= others_) return neuron.x[k - 1];
    constexpr double Neuron::* rest[] = {&Neuron::late, &Neuron::after, &Neuron::fired};
    return neuron.*rest[k - 1 - others_];
  }

  void store(const Block<double>& block, Neuron* neurons) const {
    const std::int32_t* where = acting_.where(block);
    double* out = block.scratch->as<double>(out_slot);
    for (std::size_t k = 0; k < targets_.size(); ++k) {
      for (int i = 0; i < block.count; ++i) out[i] = place(neurons[i], k);
      block.commit(targets_[k], static_cast<const double*>(out), where);
    }
  }
};

}  // namespace

std::unique_ptr<Operation<double>> make_linear_step(Binder<double>& binder) {
  return std::make_unique<LinearStep>(binder);
}

}  // namespace spikeloom
