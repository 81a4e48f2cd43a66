// One linear neuron within a step: its membrane's exact path, and where that crosses the threshold. The
// docstring of linear_step has the lines.
#pragma once

#include "base/elementary.hpp"

namespace spikeloom::linear {

constexpr int most_others = 7;  // states beside the membrane
constexpr int most_held = 8;
constexpr int guesses = 4;  // at a crossing or a peak

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

  // What the path never exceeds.
  SPIKELOOM_INLINE double most(double length) const {
    double pull = p.rest;
    for (int k = 0; k < p.others; ++k) pull = pull + (current[k] > 0.0 ? current[k] : 0.0);
    return start + (pull - start) * (length / p.tau);
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
    if (!(rising > 0.0 && falling < 0.0 && path.most(length) > threshold)) return;
    const double highest = peak(path, length, rising, falling), top = path.at(highest).v;
    if (top > threshold) cross(path.p, threshold, top, length - crossing(path, highest, top), end);
  }

  SPIKELOOM_INLINE void cross(const Given& p, double from, double top, double since, double end) {
    v = top;
    late = since / p.dt;
    after = end - (from - p.value) * exp_of(-(since / p.tau));
  }
};

}  // namespace spikeloom::linear
