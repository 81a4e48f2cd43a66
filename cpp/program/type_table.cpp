#include "program/type_table.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "program/check_parts.hpp"

namespace spikeloom {
namespace {

// The parameter that each type of axon adds.
std::vector<const Param*> table_of(const Spec& spec, const std::vector<Param>& params) {
  std::vector<const Param*> table;
  for (const std::string& name : spec.weights.table) {
    const auto found =
        std::find_if(params.begin(), params.end(), [&](const auto& p) { return p.name == name; });
    if (found == params.end()) throw ProfileError("weights.table", "names no parameter", {.value = name});
    table.push_back(&*found);
  }
  return table;
}

std::int64_t value_of(const Param& param, std::int32_t neuron) {
  return std::get<Longs>(param.values)[param.uniform ? 0 : neuron];
}

// Adds the values of one axon's synapses to `values`.
class Unroll {
 public:
  Unroll(const Spec& spec, const Arrays& arrays, const std::vector<Param>& params)
      : arrays_(arrays), codes_(std::get<Ints>(arrays.codes)), table_(table_of(spec, params)) {
    const auto types = arrays.format_shared.find("type");
    if (types == arrays.format_shared.end())
      throw ProfileError("weights.shared", "lacks type, which the formula needs");
    types_ = &types->second;
  }

  void add(const Table<Run>& runs, const Axon& axon, std::size_t number, Longs& values) const {
    std::int32_t type = -1;
    for (std::int32_t r = axon.first_run; r < axon.last_run; ++r) {
      const Run& run = runs[r];
      for (std::int32_t k = 0; k < run.length; ++k) {
        const std::int64_t code = axon.weight + run.weight + k;
        const std::int32_t found = (*types_)[arrays_.code_format[code]];
        if (type >= 0 && found != type)
          throw ProgramError(entry("axon_weight", number), "reads bits of several types of axon",
                             {.value = std::int64_t{found}, .limit = std::int64_t{type}});
        type = found;
        const std::int32_t step = run.index < 0 ? k : arrays_.index_target[run.index + k];
        values.push_back(codes_[code] == 0 ? 0 : worth(type, axon.target + run.target + step));
      }
    }
  }

 private:
  std::int64_t worth(std::int32_t type, std::int32_t neuron) const {
    if (type < 0 || type >= std::ssize(table_))
      throw ProgramError("array format_shared.type", "is out of range", {.value = std::int64_t{type}});
    return value_of(*table_[type], neuron);
  }

  const Arrays& arrays_;
  const Ints& codes_;
  std::vector<const Param*> table_;
  const Ints* types_;
};

}  // namespace

Longs unrolled_weights(const Spec& spec, const Arrays& arrays, const std::vector<Param>& params,
                       Table<Run>& runs, Table<Axon>& axons) {
  const Unroll unroll(spec, arrays, params);
  Longs values;
  for (std::size_t number = 0; number < axons.size(); ++number) {
    const auto first = static_cast<std::int64_t>(values.size());
    unroll.add(runs, axons[number], number, values);
    axons[number].weight = first;
  }
  for (std::size_t t = 0; t + 1 < arrays.template_run_start.size(); ++t) {
    std::int64_t weight = 0;
    for (std::int32_t r = arrays.template_run_start[t]; r < arrays.template_run_start[t + 1]; ++r) {
      runs[r].weight = weight;
      weight += runs[r].length;
    }
  }
  return values;
}

}  // namespace spikeloom
