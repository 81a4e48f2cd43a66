// dpi_step with the integrator `exponential`: a step in parts, each of second order in u = w + ln w, in which
// the membrane is all but linear; w is the membrane's current in units of its gain's. The docstring of the
// operation has the lines.
#include <algorithm>

#include "soma/operations/all.hpp"
#include "soma/operations/dpi_step.hpp"

namespace spikeloom {
namespace {

using namespace dpi;

constexpr double steepest = 50.0;  // exponent of a part
constexpr double highest = 1e9;    // of u

// The neurons of a block within a step: currents that decay, and what the membrane's parts need.
struct Lanes {
  using Lane = double[block_size];
  Lane w, since;                     // since: time after the crossing, 0 before it
  Lane current[3], half[3], mid[3];  // exc, inh, ahp; half: decay of half a part; mid: in the middle of one
  Lane length;                       // of the next part
  Lane u, way, exponent, after;  // of a part: where it starts, how far and how steep it leads, where it ends
  Lane free, charge, height, lowest, goal;
};

struct Kind {
  Place capacitor, itau;
};
constexpr Kind kinds[3] = {{c_exc, itau_exc}, {c_inh, itau_inh}, {c_ahp, itau_ahp}};

SPIKELOOM_INLINE double tau_of(const Operands& p, int kind, int i) {
  return p[ut][i] / p[kappa][i] * p[kinds[kind].capacitor][i] / p[kinds[kind].itau][i];
}

// Share of its level that a current takes on in a pulse.
SPIKELOOM_INLINE double taken(double pulse, double tau) {
  return 1.0 - exp_of(-(pulse / tau));
}

// The adaptation's pulse at the last crossing, and the currents of the time since.
struct Open {
  SPIKELOOM_INLINE static void run(Lanes& n, const Operands& p, const double* imem, const double* fired,
                                   const double* late, int count) {
    for (int i = 0; i < count; ++i) {
      const double ratio = p[i0][i] / p[igain_mem][i], passed = late[i] * p[dt][i];
      n.charge[i] = p[ut][i] / p[kappa][i] * p[c_mem][i];
      n.height[i] = log_of(p[igain_mem][i] / p[i0][i]);
      n.lowest[i] = ratio - n.height[i];
      n.w[i] = at_least(imem[i], p[i0][i]) / p[igain_mem][i];
      n.since[i] = 0.0;
      n.free[i] = p[refractory][i] == 0.0 ? 1.0 : 0.0;
      n.length[i] = n.free[i] != 0.0 ? passed : 0.0;
      const double tau = tau_of(p, 2, i);
      const double level = p[igain_ahp][i] / p[itau_ahp][i] * p[iw_ahp][i] * fired[i];
      n.current[2][i] = n.current[2][i] + exp_of(-(passed / tau)) * (taken(p[t_pulse_ahp][i], tau) * level);
    }
    for (int k = 0; k < 3; ++k)
      for (int i = 0; i < count; ++i)
        n.mid[k][i] = n.current[k][i] * exp_of(n.length[i] / 2.0 / tau_of(p, k, i));
  }
};

// What arrives, and how the currents decay in half a part.
struct Arrive {
  SPIKELOOM_INLINE static void run(Lanes& n, const Operands& p, double parts, int count) {
    constexpr Place gain[2] = {igain_exc, igain_inh}, itau[2] = {itau_exc, itau_inh},
                    in[2] = {in_exc, in_inh};
    for (int k = 0; k < 2; ++k)
      for (int i = 0; i < count; ++i)
        n.current[k][i] = n.current[k][i] + taken(p[t_pulse][i], tau_of(p, k, i)) *
                                                (p[gain[k]][i] / p[itau[k]][i] * p[in[k]][i]);
    for (int i = 0; i < count; ++i) n.length[i] = p[dt][i] / parts;
    for (int k = 0; k < 3; ++k)
      for (int i = 0; i < count; ++i) n.half[k][i] = exp_of(-(n.length[i] / 2.0 / tau_of(p, k, i)));
  }
};

struct Decay {
  SPIKELOOM_INLINE static void run(Lanes& n, int count) {
    for (int k = 0; k < 3; ++k)
      for (int i = 0; i < count; ++i) {
        n.mid[k][i] = n.current[k][i] * n.half[k][i];
        n.current[k][i] = n.mid[k][i] * n.half[k][i];
      }
  }
};

// (exp(z) - 1) / z.
SPIKELOOM_INLINE double rise_of(double z) {
  const double series = 1.0 + z / 2.0 * (1.0 + z / 3.0 * (1.0 + z / 4.0 * (1.0 + z / 5.0)));
  const double whole = (exp_of(z) - 1.0) / z;
  return z > -0.01 && z < 0.01 ? series : whole;
}

// Where a part takes u, with the currents of its middle.
struct Rise {
  SPIKELOOM_INLINE static void run(Lanes& n, const Operands& p, int count) {
    SPIKELOOM_INDEPENDENT
    for (int i = 0; i < count; ++i) n.u[i] = log_of(n.w[i]);
    SPIKELOOM_INDEPENDENT
    for (int i = 0; i < count; ++i) {
      const double floor = p[i0][i], w = n.w[i], length = n.length[i], base = p[itau_mem][i];
      const double exc = at_least(n.mid[0][i], floor), inh = at_least(n.mid[1][i], floor);
      const double ahp = at_least(n.mid[2][i], floor);
      const double leak = base + ahp;
      const double in = at_least((exc - inh - leak + p[idc][i]) * n.free[i], floor);
      const double open = leak * (1.0 + ahp / base);
      const double power = p[kappa][i] / (p[kappa][i] + 1.0);
      const double back = floor * exp_of(power * (n.u[i] + n.height[i]));
      const double slope = (leak / base * (in - leak) - open * w + back * (1.0 + w)) / n.charge[i];
      const double steep = (back * (w + power * (1.0 + w)) - open * w) / (1.0 + w) / n.charge[i];
      const double z = length * steep;
      n.way[i] = length * slope;
      n.exponent[i] = z < steepest ? z : steepest;
    }
    SPIKELOOM_INDEPENDENT
    for (int i = 0; i < count; ++i) {
      n.u[i] = n.w[i] + n.u[i];
      const double after = at_least(n.u[i] + n.way[i] * rise_of(n.exponent[i]), n.lowest[i]);
      n.after[i] = after < highest ? after : highest;
    }
  }
};

// The time since the crossing, after a part.
struct Cross {
  SPIKELOOM_INLINE static void run(Lanes& n, int count) {
    SPIKELOOM_INDEPENDENT
    for (int i = 0; i < count; ++i) {
      const double goal = n.goal[i], after = n.after[i], length = n.length[i], since = n.since[i];
      const double before = n.u[i] < goal ? n.u[i] : goal;
      const double part = length * ((after - goal) / (after - before)), longer = since + length;
      const double first = after > goal ? part : 0.0;
      const double now = since > 0.0 ? longer : first;
      n.since[i] = length == 0.0 ? since : now;
    }
  }
};

// w, so that w + ln w is u after the part, by Newton's steps.
struct Invert {
  SPIKELOOM_INLINE static void run(Lanes& n, int count) {
    SPIKELOOM_INDEPENDENT
    for (int i = 0; i < count; ++i) n.way[i] = 1.0 + exp_of(n.after[i]);
    SPIKELOOM_INDEPENDENT
    for (int i = 0; i < count; ++i) n.way[i] = log_of(n.way[i]);
    for (int k = 0; k < 4; ++k) {
      SPIKELOOM_INDEPENDENT
      for (int i = 0; i < count; ++i) n.u[i] = log_of(n.way[i]);
      SPIKELOOM_INDEPENDENT
      for (int i = 0; i < count; ++i) n.way[i] = n.way[i] * (1.0 + n.after[i] - n.u[i]) / (1.0 + n.way[i]);
    }
    SPIKELOOM_INDEPENDENT
    for (int i = 0; i < count; ++i) n.w[i] = n.length[i] == 0.0 ? n.w[i] : n.way[i];
  }
};

// The membrane's current, and how long before the step's end it crossed its threshold, in steps.
struct Close {
  SPIKELOOM_INLINE static void run(double* imem, double* late, const Lanes& n, const Operands& p,
                                   const double* threshold, const double* late_before, int count) {
    for (int i = 0; i < count; ++i) {
      imem[i] = at_least(p[igain_mem][i] * n.w[i], p[i0][i]);
      const double share = n.since[i] / p[dt][i], bounded = share < 1.0 ? share : 1.0;
      const double now = imem[i] > threshold[i] ? bounded : 0.0;
      late[i] = n.free[i] != 0.0 ? now : late_before[i];
    }
  }
};

struct Goal {
  SPIKELOOM_INLINE static void run(Lanes& n, const Operands& p, const double* threshold, int count) {
    for (int i = 0; i < count; ++i) {
      const double ratio = threshold[i] / p[igain_mem][i];
      n.goal[i] = ratio + log_of(ratio);
    }
  }
};

class Exponential final : public Operation<double> {
 public:
  explicit Exponential(Binder<double>& binder)
      : acting(binder),
        places(binder),
        late(binder.write(binder.element("late"), {}, false)),
        threshold(binder.source("threshold")),
        parts(static_cast<int>(binder.integer("parts"))),
        open(kernel<Open>(binder.level())),
        goal(kernel<Goal>(binder.level())),
        arrive(kernel<Arrive>(binder.level())),
        decay(kernel<Decay>(binder.level())),
        rise(kernel<Rise>(binder.level())),
        cross(kernel<Cross>(binder.level())),
        invert(kernel<Invert>(binder.level())),
        close(kernel<Close>(binder.level())) {}

  void run(const Block<double>& block) const override {
    const Operands p = places.load(block);
    const double* above = block.load<double>(threshold, 0);
    const int count = block.count;
    Lanes n;
    for (int k = 0; k < 3; ++k) std::copy_n(state(block, k + 1), count, n.current[k]);
    open(n, p, state(block, 0), state(block, 4), block.reg(late.element), count);
    goal(n, p, above, count);
    if (std::any_of(n.length, n.length + count, [](double length) { return length != 0.0; }))
      move(n, p, count);
    arrive(n, p, parts, count);
    for (int part = 0; part < parts; ++part) {
      decay(n, count);
      move(n, p, count);
    }
    store(block, n, p, above);
  }

 private:
  Acting acting;
  Places places;
  Target late;
  Source threshold;
  int parts;
  decltype(kernel<Open>(Level::baseline)) open;
  decltype(kernel<Goal>(Level::baseline)) goal;
  decltype(kernel<Arrive>(Level::baseline)) arrive;
  decltype(kernel<Decay>(Level::baseline)) decay;
  decltype(kernel<Rise>(Level::baseline)) rise;
  decltype(kernel<Cross>(Level::baseline)) cross;
  decltype(kernel<Invert>(Level::baseline)) invert;
  decltype(kernel<Close>(Level::baseline)) close;

  // One part of the membrane; a part of length 0 changes nothing.
  void move(Lanes& n, const Operands& p, int count) const {
    rise(n, p, count);
    cross(n, count);
    invert(n, count);
  }

  const double* state(const Block<double>& block, int k) const {
    return block.reg(places.targets[static_cast<std::size_t>(k)].element);
  }

  void store(const Block<double>& block, const Lanes& n, const Operands& p, const double* above) const {
    double* imem = block.scratch->as<double>(out_slot);
    double* passed = block.scratch->as<double>(out_slot + 1);
    double* fired = block.scratch->as<double>(0);
    close(imem, passed, n, p, above, block.reg(late.element), block.count);
    std::fill_n(fired, block.count, 0.0);
    const std::int32_t* where = acting.where(block);
    const double* const values[] = {imem, n.current[0], n.current[1], n.current[2], fired};
    for (std::size_t k = 0; k < places.targets.size(); ++k) block.commit(places.targets[k], values[k], where);
    block.commit(late, static_cast<const double*>(passed), where);
  }
};

}  // namespace

std::unique_ptr<Operation<double>> dpi::make_dpi_exponential(Binder<double>& binder) {
  return std::make_unique<Exponential>(binder);
}

}  // namespace spikeloom
