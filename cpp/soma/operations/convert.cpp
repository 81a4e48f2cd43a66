// adc: code = clip(fl((x - lo) / (hi - lo) 2^bits), 0, 2^bits - 1), reg = code + inl[code].
// dac: code = clip(fl(x), 0, 2^bits - 1), reg = lo + (code + inl[code]) ((hi - lo) / 2^bits).
#include <cmath>

#include "soma/operations/all.hpp"
#include "soma/real.hpp"

namespace spikeloom {
namespace {

class Converter final : public Operation<double> {
 public:
  explicit Converter(Binder<double>& binder) : acting(binder) {}
  Acting acting;
  bool to_level;  // dac
  Source reg, lo, hi;
  double codes;
  std::vector<double> inl;
  Target target;

  void run(const Block<double>& block) const override {
    double* out = block.scratch->as<double>(out_slot);
    const double *x = block.load<double>(reg, 0), *low = block.load<double>(lo, 0),
                 *high = block.load<double>(hi, 0);
    for (int i = 0; i < block.count; ++i) out[i] = converted(x[i], low[i], high[i]);
    block.commit(target, static_cast<const double*>(out), acting.where(block));
  }

 private:
  double converted(double x, double low, double high) const {
    const double exact = to_level ? x : (x - low) / (high - low) * codes;
    double code = std::floor(exact);
    code = code > 0.0 ? code : 0.0;
    code = code < codes - 1.0 ? code : codes - 1.0;
    if (!inl.empty()) code = code + inl[static_cast<std::size_t>(code)];
    return to_level ? low + code * ((high - low) / codes) : code;
  }
};

std::unique_ptr<Operation<double>> make_converter(Binder<double>& binder, bool to_level) {
  auto operation = std::make_unique<Converter>(binder);
  const std::int64_t bits = binder.integer("bits");
  if (bits < 1 || bits > 24) binder.refuse("bits", "must be 1 to 24");
  const int element = binder.element("reg");
  operation->to_level = to_level;
  operation->reg = {true, element};
  operation->lo = binder.source("lo");
  operation->hi = binder.source("hi");
  operation->codes = static_cast<double>(std::int64_t{1} << bits);
  operation->inl = binder.reals("inl");
  if (!operation->inl.empty() && operation->inl.size() != (std::size_t{1} << bits))
    binder.refuse("inl", "needs one number for each code");
  operation->target = binder.write(element, {}, false);
  return operation;
}

}  // namespace

std::unique_ptr<Operation<double>> make_adc(Binder<double>& binder) {
  return make_converter(binder, false);
}

std::unique_ptr<Operation<double>> make_dac(Binder<double>& binder) {
  return make_converter(binder, true);
}

}  // namespace spikeloom
