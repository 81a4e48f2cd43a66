// add_noise: reg += sigma z, z a normal number of the neuron, the step and the trial.
#include "soma/operations/all.hpp"
#include "soma/real.hpp"

namespace spikeloom {
namespace {

class AddNoise final : public Operation<double> {
 public:
  explicit AddNoise(Binder<double>& binder) : acting(binder), program(binder.program()) {}
  Acting acting;
  const Program& program;
  Source reg, sigma;
  bool silent;  // sigma is 0 everywhere
  int layer;
  Target target;
  AddProductKernel add;
  void (*fill)(std::uint32_t*, std::uint32_t, int, const Draw&);
  void (*to_normals)(double*, const std::uint32_t*, int);

  void run(const Block<double>& block) const override {
    if (silent) return;
    double* z = block.scratch->as<double>(0);
    draw(block, z);
    double* out = block.scratch->as<double>(out_slot);
    std::copy_n(block.load<double>(reg, 1), block.count, out);
    add(out, block.load<double>(sigma, 1), z, block.count);
    block.commit(target, static_cast<const double*>(out), acting.where(block));
  }

 private:
  // Neurons are numbered within their core, and a block may hold neurons of several.
  void draw(const Block<double>& block, double* z) const {
    std::uint32_t* words = block.scratch->as<std::uint32_t>(1);
    for (std::int32_t i = 0; i < block.count;) {
      const std::int32_t core = program.core_of(block.first + i);
      const std::int32_t start = program.core_neuron_start[core], end = program.core_neuron_start[core + 1];
      const std::int32_t count = std::min(block.count - i, end - (block.first + i));
      const Draw noise = noise_draw(block.trial, Stream::membrane, block.step, core, layer);
      fill(words + i, static_cast<std::uint32_t>(block.first + i - start), count, noise);
      i += count;
    }
    to_normals(z, words, block.count);
  }
};

}  // namespace

std::unique_ptr<Operation<double>> make_add_noise(Binder<double>& binder) {
  auto operation = std::make_unique<AddNoise>(binder);
  const int element = binder.element("reg");
  operation->reg = {true, element};
  operation->sigma = binder.source("sigma");
  operation->silent = !operation->sigma.is_register && binder.all_zero(operation->sigma);
  operation->layer = static_cast<int>(binder.integer("layer"));
  operation->target = binder.write(element, {}, false);
  operation->add = kernel<AddProduct>(binder.level());
  operation->fill = kernel<FillWords>(binder.level());
  operation->to_normals = kernel<ToNormals>(binder.level());
  return operation;
}

}  // namespace spikeloom
