// What the operations of real numbers share: sums of products, and the neurons that an operation acts on.
#pragma once

#include <optional>
#include <vector>

#include "soma/elementwise.hpp"

namespace spikeloom {

// sum[i] += a[i] b[i], the product rounded before it is added.
struct AddProduct {
  SPIKELOOM_INLINE static void run(double* sum, const double* a, const double* b, int count) {
    SPIKELOOM_INDEPENDENT
    for (int i = 0; i < count; ++i) sum[i] = sum[i] + a[i] * b[i];
  }
};
using AddProductKernel = void (*)(double*, const double*, const double*, int);

// A factor times a source.
struct Product {
  Source factor, source;
};

// The neurons that `unless` leaves to an operation; absent: all.
class Acting {
 public:
  explicit Acting(Binder<double>& binder)
      : unless_(binder.unless()), find_(where_kernel<double>(binder.level())) {}

  const std::int32_t* where(const Block<double>& block) const {
    if (!unless_) return nullptr;
    std::int32_t* mask = block.scratch->as<std::int32_t>(where_slot);
    find_(mask, block.load<double>(*unless_, 0), block.count);
    return mask;
  }

 private:
  std::optional<Source> unless_;
  WhereKernel<double> find_;
};

// `field = { source = factor }`, in its order.
inline std::vector<Product> products_of(Binder<double>& binder, const std::string& field) {
  std::vector<Product> products;
  for (const auto& [name, factor] : binder.pairs(field))
    products.push_back({binder.source(factor, field), binder.source(Operand{name}, field)});
  return products;
}

}  // namespace spikeloom
