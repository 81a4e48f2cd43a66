// linear_step: P y of linear_exact, and where the membrane crosses its threshold within the step.
#include <algorithm>
#include <array>

#include "soma/operations/all.hpp"
#include "soma/operations/linear_path.hpp"
#include "soma/real.hpp"

namespace spikeloom {
namespace {

using namespace linear;

constexpr std::array registers = {"late", "after", "fired"};
constexpr std::array operands = {"refractory", "threshold", "value", "dt"};

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

constexpr int most_rows = 1 + most_others + static_cast<int>(registers.size());

// What a step writes, [row][neuron]: the states, then `registers`.
struct Rows {
  double of[most_rows][block_size];
};

// Every neuron as if it were free and nothing happened in the step; `busy` marks those where something may.
struct QuietSteps {
  SPIKELOOM_INLINE static void run(const Arrays& a, const double* const* state, Rows& out, std::int32_t* busy,
                                   int count) {
    double pull[block_size], rising[block_size], falling[block_size], most[block_size];
    const double *v = state[0], *fired = state[1 + a.others + 2];
    double* const end = out.of[0];
    for (int i = 0; i < count; ++i) end[i] = 0.0 + a.row[0][i] * v[i];
    for (int k = 1; k <= a.others; ++k) add(end, a.row[k], state[k], count);
    std::fill_n(pull, count, 0.0);
    for (int k = 0; k < a.pulls; ++k) {
      add(end, a.row[1 + a.others + k], a.held[k], count);
      add(pull, a.held_gains[k], a.held[k], count);
    }
    std::copy_n(pull, count, rising);
    std::copy_n(pull, count, falling);
    std::copy_n(pull, count, most);
    for (int k = 0; k < a.others; ++k) {
      double* const moved = out.of[1 + k];
      const double *fall = a.falls[k], *x = state[1 + k];
      for (int i = 0; i < count; ++i) {
        const double current = a.gains[k][i] * x[i];
        moved[i] = 0.0 + fall[i] * x[i];
        most[i] = most[i] + (current > 0.0 ? current : 0.0);
      }
      add(rising, a.gains[k], x, count);
      add(falling, a.gains[k], moved, count);
    }
    mark(a, v, fired, end, rising, falling, most, busy, count);
    std::fill_n(out.of[1 + a.others], count, 0.0);
    std::copy_n(a.own[2], count, out.of[2 + a.others]);
    std::fill_n(out.of[3 + a.others], count, 0.0);
  }

 private:
  SPIKELOOM_INLINE static void mark(const Arrays& a, const double* v, const double* fired, const double* end,
                                    const double* rising, const double* falling, const double* most,
                                    std::int32_t* busy, int count) {
    const double *held = a.own[0], *threshold = a.own[1], *dt = a.own[3], *tau = a.taus[0];
    for (int i = 0; i < count; ++i) {
      const bool reaches = v[i] + (most[i] - v[i]) * (dt[i] / tau[i]) > threshold[i];
      const bool turns = (rising[i] - v[i] > 0.0) & (falling[i] - end[i] < 0.0);
      busy[i] = (held[i] != 0.0) | (fired[i] != 0.0) | (v[i] > threshold[i]) | (end[i] > threshold[i]) |
                (turns & reaches);
    }
  }

  SPIKELOOM_INLINE static void add(double* sum, const double* x, const double* y, int count) {
    SPIKELOOM_INDEPENDENT
    for (int i = 0; i < count; ++i) sum[i] = sum[i] + x[i] * y[i];
  }
};

struct BusySteps {
  SPIKELOOM_INLINE static void run(const Arrays& a, const double* const* state, Rows& out,
                                   const std::int32_t* busy, int count) {
    for (int i = 0; i < count; ++i) {
      if (busy[i] == 0) continue;
      const int n = a.others;
      Neuron neuron{state[0][i], state[1 + n][i], state[2 + n][i], state[3 + n][i], {}};
      for (int k = 0; k < n; ++k) neuron.x[k] = state[1 + k][i];
      neuron.step(a.at(i));
      out.of[0][i] = neuron.v;
      for (int k = 0; k < n; ++k) out.of[1 + k][i] = neuron.x[k];
      out.of[1 + n][i] = neuron.late;
      out.of[2 + n][i] = neuron.after;
      out.of[3 + n][i] = neuron.fired;
    }
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
  explicit LinearStep(Binder<double>& binder)
      : acting_(binder),
        quiet_(kernel<QuietSteps>(binder.level())),
        busy_(kernel<BusySteps>(binder.level())) {
    const auto &states = binder.operands("states"), &matrix = binder.operands("matrix");
    if (states.empty() || states.size() > 1 + most_others) binder.refuse("states", "needs 1 to 8 registers");
    others_ = states.size() - 1;
    sources_ = binder.operands("sources").size();
    if (matrix.size() != states.size() * sources_) binder.refuse("matrix", "has the wrong size");
    for (const Operand& state : states)
      targets_.push_back(binder.write(binder.source(state, "states").index, {}, false));
    for (const char* name : registers) targets_.push_back(binder.write(binder.element(name), {}, false));
    for (const char* name : operands) own_.add(binder.source(name));
    bind_rows(binder, matrix);
  }

  void run(const Block<double>& block) const override {
    Arrays arrays;
    arrays.others = static_cast<int>(others_);
    arrays.sources = static_cast<int>(sources_);
    arrays.pulls = static_cast<int>(held_.count);
    own_.load(block, arrays.own);
    taus_.load(block, arrays.taus);
    gains_.load(block, arrays.gains);
    falls_.load(block, arrays.falls);
    row_.load(block, arrays.row);
    held_.load(block, arrays.held);
    held_gains_.load(block, arrays.held_gains);
    const double* state[most_rows];
    for (std::size_t k = 0; k < targets_.size(); ++k) state[k] = block.reg(targets_[k].element);
    Rows out;
    std::int32_t busy[block_size];
    quiet_(arrays, state, out, busy, block.count);
    busy_(arrays, state, out, busy, block.count);
    const std::int32_t* where = acting_.where(block);
    for (std::size_t k = 0; k < targets_.size(); ++k)
      block.commit(targets_[k], static_cast<const double*>(out.of[k]), where);
  }

 private:
  Acting acting_;
  void (*quiet_)(const Arrays&, const double* const*, Rows&, std::int32_t*, int);
  void (*busy_)(const Arrays&, const double* const*, Rows&, const std::int32_t*, int);
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
};

}  // namespace

std::unique_ptr<Operation<double>> make_linear_step(Binder<double>& binder) {
  return std::make_unique<LinearStep>(binder);
}

}  // namespace spikeloom
