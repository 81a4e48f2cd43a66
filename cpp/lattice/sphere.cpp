#include "lattice/sphere.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace spikeloom {
namespace {

constexpr double slack = 1e-12;  // share of the best cost by which a branch must be able to beat it
constexpr double none = std::numeric_limits<double>::infinity();

// What is known of one index while all later ones are decided.
struct Stage {
  double target;          // real-valued k of least cost
  double unit;            // cost of a distance of 1 from it
  std::int64_t k;         // the code being looked at
  std::int64_t down, up;  // the next ones on either side
  double cost;            // of this index and all later ones
};

class Search {
 public:
  Search(const SphereProblem& problem, double* codes, std::int64_t limit)
      : p_(problem),
        n_(static_cast<std::size_t>(problem.n)),
        limit_(limit),
        best_(codes),
        stages_(n_ + 1),
        error_(n_),
        partial_(n_ * (n_ + 1), 0.0),
        changed_(n_, n_ - 1) {
    stages_[n_].cost = 0;
    cost_ = cost_of(codes);
  }

  SphereResult run() {
    level_ = n_ - 1;
    enter();
    while (level_ < n_) {
      if (nodes_ >= limit_) return {cost_, std::min(cost_, frontier()), nodes_, false};
      ++nodes_;
      if (stages_[level_].cost >= cost_ * (1 - slack)) {
        up();
      } else if (level_ == 0) {
        keep();
        up();
      } else {
        settle();
        --level_;
        enter();
      }
    }
    return {cost_, cost_, nodes_, true};
  }

 private:
  double code(std::int64_t k) const { return p_.low + p_.step * static_cast<double>(k); }

  double cost_of(const double* codes) const {
    double cost = 0;
    for (std::size_t i = n_; i-- > 0;) {
      double sum = p_.scale * codes[i] - p_.weight[i];
      for (std::size_t j = i + 1; j < n_; ++j)
        sum += p_.factor[i * n_ + j] * (p_.scale * codes[j] - p_.weight[j]);
      cost += p_.pivot[i] * sum * sum;
    }
    return cost;
  }

  // Looks at the nearest code of the present level.
  void enter() {
    Stage& s = stages_[level_];
    const double unit = p_.scale * p_.step;
    s.target = (p_.weight[level_] - carried() - p_.scale * p_.low) / unit;
    s.unit = p_.pivot[level_] * unit * unit;
    const double last = static_cast<double>(p_.count - 1);
    s.k = static_cast<std::int64_t>(std::clamp(std::nearbyint(s.target), 0.0, last));
    s.down = s.k - 1;
    s.up = s.k + 1;
    price(s);
  }

  void price(Stage& s) const {
    const double distance = static_cast<double>(s.k) - s.target;
    s.cost = stages_[level_ + 1].cost + s.unit * distance * distance;
  }

  // Sum of factor[level][j] * e[j] over later j. Partial sums from the end are kept, and only those with an
  // error that has changed since are added up again.
  double carried() {
    const std::size_t i = level_;
    double* sums = partial_.data() + i * (n_ + 1);
    const double* row = p_.factor + i * n_;
    for (std::size_t j = changed_[i]; j > i; --j) sums[j] = sums[j + 1] + row[j] * error_[j];
    if (i > 0) changed_[i - 1] = std::max(changed_[i - 1], changed_[i]);
    changed_[i] = i;
    return sums[i + 1];
  }

  // Fixes the code of the present level for the levels below.
  void settle() {
    error_[level_] = p_.scale * code(stages_[level_].k) - p_.weight[level_];
    changed_[level_ - 1] = std::max(changed_[level_ - 1], level_);
  }

  // To the next code of the level above, or of the first one that has one left.
  void up() {
    while (++level_ < n_) {
      Stage& s = stages_[level_];
      const std::int64_t next = sibling(s);
      if (next < 0) continue;
      if (next == s.down)
        --s.down;
      else
        ++s.up;
      s.k = next;
      price(s);
      return;
    }
  }

  // The nearer one of the codes not yet looked at; -1 where there is none.
  std::int64_t sibling(const Stage& s) const {
    const bool below = s.down >= 0, above = s.up < p_.count;
    if (!below && !above) return -1;
    if (!below) return s.up;
    if (!above) return s.down;
    return s.target - static_cast<double>(s.down) <= static_cast<double>(s.up) - s.target ? s.down : s.up;
  }

  void keep() {
    cost_ = stages_[0].cost;
    best_[0] = code(stages_[0].k);
    for (std::size_t i = 1; i < n_; ++i) best_[i] = code(stages_[i].k);
  }

  // The least cost that the branches not visited may have.
  double frontier() const {
    double least = stages_[level_].cost;
    for (std::size_t i = level_; i < n_; ++i) {
      const Stage& s = stages_[i];
      const std::int64_t next = sibling(s);
      if (next < 0) continue;
      const double distance = static_cast<double>(next) - s.target;
      least = std::min(least, stages_[i + 1].cost + s.unit * distance * distance);
    }
    return least;
  }

  const SphereProblem& p_;
  std::size_t n_;
  std::int64_t limit_, nodes_ = 0;
  double* best_;
  std::size_t level_ = 0;
  double cost_ = none;
  std::vector<Stage> stages_;         // by level; one above the first holds the cost 0
  std::vector<double> error_;         // of the decided codes
  std::vector<double> partial_;       // (n, n + 1): sums of a row from the end to each index
  std::vector<std::size_t> changed_;  // highest index whose error changed since a row was added up
};

}  // namespace

SphereResult decode_sphere(const SphereProblem& problem, double* codes, std::int64_t limit) {
  return Search(problem, codes, limit).run();
}

}  // namespace spikeloom
