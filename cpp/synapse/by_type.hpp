// The kernel for the type that weights are stored in.
#pragma once

#include <type_traits>
#include <variant>

#include "program/program.hpp"

namespace spikeloom {

// choose.operator()<Stored>() for the stored weight type; null where it is no type for Sum: integers never
// meet real sums, since an analog soma has real weights only, nor do wide weights meet sums of 16 bits.
template <class Sum, class Function, class Choose>
Function by_type(const Weights& weights, Choose choose) {
  return std::visit(
      [&](const auto& values) -> Function {
        using Stored = typename std::decay_t<decltype(values)>::value_type;
        constexpr bool same_kind = std::is_floating_point_v<Stored> == std::is_floating_point_v<Sum>;
        if constexpr (same_kind && (sizeof(Sum) > 2 || sizeof(Stored) <= 2))
          return choose.template operator()<Stored>();
        else
          return nullptr;
      },
      weights.values);
}

}  // namespace spikeloom
