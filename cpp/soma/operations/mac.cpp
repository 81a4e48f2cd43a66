// mac: y = sum over the blocks of clamp(round(block gain + sigma z)), clamped again to out_min, out_max.
#include <cmath>

#include "soma/operations/all.hpp"
#include "soma/real.hpp"

namespace spikeloom {
namespace {

class Mac final : public Operation<double> {
 public:
  explicit Mac(Binder<double>& binder) : acting(binder), program(binder.program()) {}
  Acting acting;
  const Program& program;
  std::vector<Source> blocks;
  Source gain, sigma, out_min, out_max;
  bool nearest;
  int layer;
  Target target;

  void run(const Block<double>& block) const override {
    double* y = block.scratch->as<double>(out_slot);
    const double *gains = block.load<double>(gain, 0), *sigmas = block.load<double>(sigma, 0);
    const double *low = block.load<double>(out_min, 0), *high = block.load<double>(out_max, 0);
    for (int i = 0; i < block.count; ++i) {
      double total = 0.0;
      for (std::size_t b = 0; b < blocks.size(); ++b) {
        double part = block.load<double>(blocks[b], 0)[i] * gains[i];
        if (sigmas[i] != 0) part = part + sigmas[i] * normal(block, block.first + i, b);
        total = total + clamped(std::floor(nearest ? part + 0.5 : part), low[i], high[i]);
      }
      y[i] = clamped(total, low[i], high[i]);
    }
    block.commit(target, static_cast<const double*>(y), acting.where(block));
  }

 private:
  static double clamped(double x, double low, double high) { return x < low ? low : x > high ? high : x; }

  // Draws are numbered by neuron of the core, and by block within it.
  double normal(const Block<double>& block, std::int32_t neuron, std::size_t b) const {
    const std::int32_t core = program.core_of(neuron);
    const Draw draw = noise_draw(block.trial, Stream::membrane, block.step, core, layer);
    const auto local = static_cast<std::size_t>(neuron - program.core_neuron_start[core]);
    const auto index = static_cast<std::uint32_t>(local * blocks.size() + b);
    return normal_of(words_of(draw, index)[index & 3]);
  }
};

}  // namespace

std::unique_ptr<Operation<double>> make_mac(Binder<double>& binder) {
  auto operation = std::make_unique<Mac>(binder);
  for (const Operand& name : binder.operands("blocks"))
    operation->blocks.push_back(binder.source(name, "blocks"));
  operation->gain = binder.source("gain");
  operation->sigma = binder.source("sigma");
  operation->out_min = binder.source("out_min");
  operation->out_max = binder.source("out_max");
  operation->nearest = binder.text("round") == "nearest";
  operation->layer = static_cast<int>(binder.integer("layer"));
  operation->target = binder.write(binder.element("dst"), {}, false);
  return operation;
}

}  // namespace spikeloom
