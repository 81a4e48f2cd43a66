// add_noise: reg += sigma z, z a normal number of the neuron, the step and the trial.
#include "soma/normal_rows.hpp"
#include "soma/operations/all.hpp"
#include "soma/real.hpp"

namespace spikeloom {
namespace {

class AddNoise final : public Operation<double> {
 public:
  explicit AddNoise(Binder<double>& binder)
      : acting(binder),
        normals(binder.program(), static_cast<int>(binder.integer("layer")), binder.level()) {}
  Acting acting;
  NormalRows normals;
  Source reg, sigma;
  bool silent;  // sigma is 0 everywhere
  Target target;
  AddProductKernel add;

  void run(const Block<double>& block) const override {
    if (silent) return;
    double* z = block.scratch->as<double>(0);
    normals.draw(block, z, block.scratch->as<std::uint32_t>(1));
    double* out = block.scratch->as<double>(out_slot);
    std::copy_n(block.load<double>(reg, 1), block.count, out);
    add(out, block.load<double>(sigma, 1), z, block.count);
    block.commit(target, static_cast<const double*>(out), acting.where(block));
  }
};

}  // namespace

std::unique_ptr<Operation<double>> make_add_noise(Binder<double>& binder) {
  auto operation = std::make_unique<AddNoise>(binder);
  const int element = binder.element("reg");
  operation->reg = {true, element};
  operation->sigma = binder.source("sigma");
  operation->silent = !operation->sigma.is_register && binder.all_zero(operation->sigma);
  operation->target = binder.write(element, {}, false);
  operation->add = kernel<AddProduct>(binder.level());
  return operation;
}

}  // namespace spikeloom
