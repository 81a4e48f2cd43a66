// exp_euler: one step of tau dx/dt = -x + sum gain source + sum g (E - x), all but x held at the step's
// start: open = 1 + sum g, t = (sum gain source + sum g E) / open, x = t + (x - t) exp(-(dt open) / tau).
#include "soma/operations/all.hpp"
#include "soma/real.hpp"

namespace spikeloom {
namespace {

struct Step {
  SPIKELOOM_INLINE static void run(double* out, const double* x, const double* total, const double* open,
                                   const double* tau, const double* dt, int count) {
    SPIKELOOM_INDEPENDENT
    for (int i = 0; i < count; ++i) {
      const double target = total[i] / open[i];
      out[i] = target + (x[i] - target) * exp_of(-((dt[i] * open[i]) / tau[i]));
    }
  }
};

struct Add {
  SPIKELOOM_INLINE static void run(double* sum, const double* a, int count) {
    SPIKELOOM_INDEPENDENT
    for (int i = 0; i < count; ++i) sum[i] = sum[i] + a[i];
  }
};

class ExpEuler final : public Operation<double> {
 public:
  explicit ExpEuler(Binder<double>& binder) : acting(binder) {}
  Acting acting;
  std::vector<Product> gains, conductances;  // (gain, source), (reversal, conductance)
  Source reg, tau, dt;
  Target target;
  AddProductKernel add_product;
  void (*add)(double*, const double*, int);
  void (*step)(double*, const double*, const double*, const double*, const double*, const double*, int);

  void run(const Block<double>& block) const override {
    double* total = block.scratch->as<double>(0);
    double* open = block.scratch->as<double>(1);
    std::fill_n(total, block.count, 0.0);
    std::fill_n(open, block.count, 1.0);
    for (const Product& p : gains)
      add_product(total, block.load<double>(p.factor, 2), block.load<double>(p.source, 2), block.count);
    for (const Product& p : conductances) {
      add(open, block.load<double>(p.source, 2), block.count);
      add_product(total, block.load<double>(p.factor, 2), block.load<double>(p.source, 2), block.count);
    }
    double* out = block.scratch->as<double>(out_slot);
    step(out, block.load<double>(reg, 2), total, open, block.load<double>(tau, 2), block.load<double>(dt, 2),
         block.count);
    block.commit(target, static_cast<const double*>(out), acting.where(block));
  }
};

}  // namespace

std::unique_ptr<Operation<double>> make_exp_euler(Binder<double>& binder) {
  auto operation = std::make_unique<ExpEuler>(binder);
  operation->gains = products_of(binder, "gains");
  operation->conductances = products_of(binder, "conductances");
  const int element = binder.element("reg");
  operation->reg = {true, element};
  operation->tau = binder.source("tau");
  operation->dt = binder.source("dt");
  operation->target = binder.write(element, {}, false);
  operation->add_product = kernel<AddProduct>(binder.level());
  operation->add = kernel<Add>(binder.level());
  operation->step = kernel<Step>(binder.level());
  return operation;
}

}  // namespace spikeloom
