// The sphere decoder against every code there is, and what it says when it is cut short.
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "expect.hpp"
#include "lattice/sphere.hpp"

using namespace spikeloom;

namespace {

struct Instance {
  std::int64_t n, count;
  std::vector<double> pivot, factor, weight;
  double scale, low, step;

  SphereProblem problem() const {
    return {n, pivot.data(), factor.data(), weight.data(), scale, low, step, count};
  }
  double cost(const std::vector<double>& codes) const {
    double cost = 0;
    for (std::int64_t i = 0; i < n; ++i) {
      double sum = 0;
      for (std::int64_t j = i; j < n; ++j)
        sum += (j == i ? 1.0 : factor[i * n + j]) * (scale * codes[j] - weight[j]);
      cost += pivot[i] * sum * sum;
    }
    return cost;
  }
};

Instance random_instance(std::mt19937& draw) {
  std::uniform_real_distribution<double> real(-1, 1);
  Instance made;
  made.n = 1 + draw() % 5;
  made.count = 1 + draw() % 4;
  made.scale = 0.2 + 0.3 * std::abs(real(draw));
  made.step = draw() % 2 ? 1.0 : 2.0;
  made.low = -made.step * static_cast<double>(draw() % made.count);
  for (std::int64_t i = 0; i < made.n; ++i) {
    made.pivot.push_back(0.1 + std::abs(real(draw)));
    made.weight.push_back(real(draw));
  }
  for (std::int64_t i = 0; i < made.n * made.n; ++i) made.factor.push_back(real(draw));
  return made;
}

double least(const Instance& made) {
  std::vector<double> codes(made.n, made.low);
  double best = made.cost(codes);
  std::int64_t all = 1;
  for (std::int64_t i = 0; i < made.n; ++i) all *= made.count;
  for (std::int64_t number = 1; number < all; ++number) {
    std::int64_t left = number;
    for (double& code : codes) {
      code = made.low + made.step * static_cast<double>(left % made.count);
      left /= made.count;
    }
    best = std::min(best, made.cost(codes));
  }
  return best;
}

void the_best_of_all_codes_is_found_and_proven() {
  std::mt19937 draw(1);
  for (int round = 0; round < 500; ++round) {
    const Instance made = random_instance(draw);
    std::vector<double> codes(made.n, made.low);
    const SphereResult result = decode_sphere(made.problem(), codes.data(), 1 << 20);
    const double best = least(made);
    EXPECT(result.proven);
    EXPECT(std::abs(result.cost - best) <= 1e-12 * (1 + best));
    EXPECT(std::abs(made.cost(codes) - result.cost) <= 1e-12 * (1 + best));
    EXPECT_EQ(result.bound, result.cost);
  }
}

void a_search_cut_short_has_a_bound_below_the_best() {
  std::mt19937 draw(2);
  int unproven = 0;
  for (int round = 0; round < 300; ++round) {
    const Instance made = random_instance(draw);
    std::vector<double> codes(made.n, made.low);
    const SphereResult result = decode_sphere(made.problem(), codes.data(), 1 + round % 12);
    const double best = least(made);
    EXPECT(result.bound <= best * (1 + 1e-12));
    EXPECT(result.cost >= best * (1 - 1e-12));
    unproven += result.proven ? 0 : 1;
  }
  EXPECT(unproven > 50);
}

void a_good_start_is_kept() {
  const std::vector<double> pivot{1}, factor{0}, weight{0.5};
  std::vector<double> codes{1};
  const SphereResult result =
      decode_sphere({1, pivot.data(), factor.data(), weight.data(), 1, -2, 1, 5}, codes.data(), 100);
  EXPECT_EQ(codes[0], 1.0);
  EXPECT_EQ(result.cost, 0.25);
}

}  // namespace

int main() {
  skip_unless_level_runs();
  the_best_of_all_codes_is_found_and_proven();
  a_search_cut_short_has_a_bound_below_the_best();
  a_good_start_is_kept();
}
