// linear_exact: x = P x, the columns of P being the states and then what is held during the step. P was
// computed when the chip instance was made; an entry that is always 0 stands as the integer 0 and is left
// out.
#include "soma/operations/all.hpp"
#include "soma/real.hpp"

namespace spikeloom {
namespace {

class LinearExact final : public Operation<double> {
 public:
  explicit LinearExact(Binder<double>& binder) : acting(binder) {}
  struct State {
    std::vector<Product> row;
    Target target;
  };
  Acting acting;
  std::vector<State> states;
  AddProductKernel add;

  void run(const Block<double>& block) const override {
    for (std::size_t k = 0; k < states.size(); ++k) {
      double* sum = block.scratch->as<double>(static_cast<int>(k));
      std::fill_n(sum, block.count, 0.0);
      for (const Product& product : states[k].row)
        add(sum, block.load<double>(product.factor, 0), block.load<double>(product.source, 0), block.count);
    }
    const std::int32_t* where = acting.where(block);
    for (std::size_t k = 0; k < states.size(); ++k)
      block.commit(states[k].target,
                   static_cast<const double*>(block.scratch->as<double>(static_cast<int>(k))), where);
  }
};

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
    operation->states.push_back(std::move(state));
  }
  return operation;
}

}  // namespace spikeloom
