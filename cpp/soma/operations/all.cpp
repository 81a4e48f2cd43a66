// The closed set: every operation by its name in a profile.
#include "soma/operations/all.hpp"

#include <string>

#include "base/error.hpp"

namespace spikeloom {
namespace {

constexpr OperationKind operation_kinds[] = {
    {"sum", make_sum, make_sum},
    {"decay_mul", make_decay_mul, nullptr},
    {"decay_shift", make_decay_shift, nullptr},
    {"decay_sub", make_decay_sub, make_decay_sub},
    {"leak_signed", make_leak_signed, make_leak_signed},
    {"clip", make_clip, make_clip},
    {"clear", make_clear, make_clear},
    {"hold_zero", make_hold_zero, make_hold_zero},
    {"count_down", make_count_down, make_count_down},
    {"fire", make_fire, make_fire},
    {"fire2", make_fire2, make_fire2},
    {"multi_fire", make_multi_fire, make_multi_fire},
    {"alias", make_alias, nullptr},
    {"linear_exact", nullptr, make_linear_exact},
    {"linear_step", nullptr, make_linear_step},
    {"exp_euler", nullptr, make_exp_euler},
    {"exp_drive", nullptr, make_exp_drive},
    {"add_noise", nullptr, make_add_noise},
    {"adc", nullptr, make_adc},
    {"dac", nullptr, make_dac},
    {"mac", nullptr, make_mac},
    {"dpi_step", nullptr, make_dpi_step},
    {"adex_step", nullptr, make_adex_step},
};

}  // namespace

const OperationKind& find_operation(const std::string& op) {
  for (const OperationKind& kind : operation_kinds)
    if (op == kind.op) return kind;
  throw ProfileError("operation list", "holds an operation that does not exist", {.value = op});
}

}  // namespace spikeloom
