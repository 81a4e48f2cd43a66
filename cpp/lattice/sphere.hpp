// The best integer codes of one output under a quadratic cost, by enumeration in a shrinking sphere.
#pragma once

#include <cstdint>

namespace spikeloom {

// cost(code) = sum over i of pivot[i] * (e[i] + sum over j > i of factor[i * n + j] * e[j])^2 with
// e[i] = scale * code[i] - weight[i] and code[i] = low + step * k, k = 0 .. count - 1.
struct SphereProblem {
  std::int64_t n;
  const double* pivot;   // (n), > 0
  const double* factor;  // (n, n), read above the diagonal
  const double* weight;  // (n)
  double scale;          // > 0
  double low, step;
  std::int64_t count;
};

// bound: no codes cost less; proven: the search ended, and `cost` is the least there is.
struct SphereResult {
  double cost, bound;
  std::int64_t nodes;
  bool proven;
};

// Depth first from the last index to the first, nearest code first (Schnorr and Euchner). `codes` holds a
// start and gets the best codes found; at most `limit` nodes are visited. The result depends on nothing else.
SphereResult decode_sphere(const SphereProblem& problem, double* codes, std::int64_t limit);

}  // namespace spikeloom
