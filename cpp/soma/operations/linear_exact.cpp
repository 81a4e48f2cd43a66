// linear_exact: x = P x, the columns of P being the states and then what is held during the step. P was
// computed when the chip instance was made; an entry that is always 0 stands as the integer 0 and is left
// out.
#include <algorithm>

#include "soma/operations/all.hpp"
#include "soma/real.hpp"

namespace spikeloom {
namespace {

constexpr int most_products = 8;  // of a row that is one loop

// out[i] = 0 + a0[i] b0[i] + a1[i] b1[i] + ..., each product rounded before it is added. `out` may be an
// operand.
template <int products>
struct RowOf {
  SPIKELOOM_INLINE static void run(double* out, const double* const* a, const double* const* b, int count) {
    SPIKELOOM_INDEPENDENT
    for (int i = 0; i < count; ++i) {
      double sum = 0;
      for (int k = 0; k < products; ++k) sum = sum + a[k][i] * b[k][i];
      out[i] = sum;
    }
  }
};
using RowKernel = void (*)(double*, const double* const*, const double* const*, int);

template <int products = 0>
RowKernel row_kernel(std::size_t wanted, Level level) {
  if constexpr (products < most_products)
    if (wanted != products) return row_kernel<products + 1>(wanted, level);
  return kernel<RowOf<products>>(level);
}

class LinearExact final : public Operation<double> {
 public:
  explicit LinearExact(Binder<double>& binder) : acting(binder) {}
  struct State {
    std::vector<Product> row;
    Target target;
    RowKernel begin = nullptr;  // of the first `most_products` of the row
    bool at_once = false;       // no later row reads what this one writes
  };
  Acting acting;
  std::vector<State> states;
  AddProductKernel add;

  void run(const Block<double>& block) const override {
    const std::int32_t* where = acting.where(block);
    for (std::size_t k = 0; k < states.size(); ++k) {
      const bool at_once = states[k].at_once && where == nullptr;
      compute(block, states[k], at_once ? block.reg(states[k].target.element) : kept(block, k));
    }
    for (std::size_t k = 0; k < states.size(); ++k)
      if (!states[k].at_once || where != nullptr)
        block.commit(states[k].target, static_cast<const double*>(kept(block, k)), where);
  }

 private:
  static double* kept(const Block<double>& block, std::size_t k) {
    return block.scratch->as<double>(static_cast<int>(k));
  }

  void compute(const Block<double>& block, const State& state, double* sum) const {
    const double *a[most_products], *b[most_products];
    const std::size_t first = std::min<std::size_t>(state.row.size(), most_products);
    for (std::size_t k = 0; k < first; ++k) {
      a[k] = block.load<double>(state.row[k].factor, 0);
      b[k] = block.load<double>(state.row[k].source, 0);
    }
    state.begin(sum, a, b, block.count);
    for (std::size_t k = first; k < state.row.size(); ++k)
      add(sum, block.load<double>(state.row[k].factor, 0), block.load<double>(state.row[k].source, 0),
          block.count);
  }
};

// A row that is finished in several loops must not read what it writes either.
void settle(std::vector<LinearExact::State>& states) {
  for (std::size_t k = 0; k < states.size(); ++k) {
    states[k].at_once = true;
    const std::size_t from = states[k].row.size() > most_products ? k : k + 1;
    for (std::size_t later = from; later < states.size(); ++later)
      for (const Product& product : states[later].row)
        if (product.source.is_register && product.source.index == states[k].target.element)
          states[k].at_once = false;
  }
}

bool is_zero(const Operand& operand) {
  const auto* number = std::get_if<std::int64_t>(&operand);
  return number != nullptr && *number == 0;
}

}  // namespace

std::unique_ptr<Operation<double>> make_linear_exact(Binder<double>& binder) {
  const auto &states = binder.operands("states"), &sources = binder.operands("sources"),
             &matrix = binder.operands("matrix");
  if (states.empty() || states.size() > 8) binder.refuse("states", "needs 1 to 8 registers");
  if (matrix.size() != states.size() * sources.size()) binder.refuse("matrix", "has the wrong size");
  auto operation = std::make_unique<LinearExact>(binder);
  operation->add = kernel<AddProduct>(binder.level());
  for (std::size_t k = 0; k < states.size(); ++k) {
    LinearExact::State state;
    for (std::size_t j = 0; j < sources.size(); ++j) {
      const Operand& factor = matrix[k * sources.size() + j];
      if (is_zero(factor)) continue;
      state.row.push_back({binder.source(factor, "matrix"), binder.source(sources[j], "sources")});
    }
    const Source written = binder.source(states[k], "states");
    if (!written.is_register) binder.refuse("states", "must be registers");
    state.target = binder.write(written.index, {}, false);
    state.begin = row_kernel(std::min<std::size_t>(state.row.size(), most_products), binder.level());
    operation->states.push_back(std::move(state));
  }
  settle(operation->states);
  return operation;
}

}  // namespace spikeloom
