#include "soma/one_pass/leaky_table.hpp"

#include <algorithm>
#include <functional>

#include "soma/one_pass/leaky.hpp"

namespace spikeloom {
namespace {

std::int32_t value_of(const std::vector<Entry<std::int32_t>>& entries, const Source& source,
                      std::int32_t neuron) {
  const Entry<std::int32_t>& entry = entries[source.index];
  return entry.values[entry.per_neuron ? neuron : 0];
}

std::uint32_t pattern_of(std::int16_t value) {
  const auto half = static_cast<std::uint16_t>(value);
  return std::uint32_t{half} << 16 | half;
}
std::uint32_t pattern_of(std::int32_t value) {
  return static_cast<std::uint32_t>(value);
}

template <class V>
bool is_mixed(const LeakyMix<V>& mix) {
  const auto differ = [](const auto& values) {
    return std::adjacent_find(values.begin(), values.end(), std::not_equal_to<>()) != values.end();
  };
  return differ(mix.leak) || differ(mix.bias) || differ(mix.threshold) || differ(mix.value);
}

}  // namespace

template <class V>
LeakyTable<V> leaky_table_of(const LeakyList& list, const std::vector<Entry<std::int32_t>>& entries,
                             const Part& part) {
  constexpr std::int32_t most_leak = 8 * sizeof(V) - 1;  // shifts by more give the same
  LeakyTable<V> table;
  for (std::int32_t first = 0; first < part.last_neuron; first += leaky_word) {
    LeakyMix<V> mix;
    const std::int32_t end = std::min(first + leaky_word, part.last_neuron);
    for (std::int32_t i = std::max(first, part.first_neuron); i < end; ++i) {
      const std::int32_t leak = list.leak ? value_of(entries, *list.leak, i) : 0;
      mix.leak[i - first] = static_cast<V>(std::min(leak, most_leak));
      mix.bias[i - first] = static_cast<V>(value_of(entries, list.bias, i));
      mix.threshold[i - first] = static_cast<V>(value_of(entries, list.threshold, i));
      mix.value[i - first] = static_cast<V>(value_of(entries, list.value, i));
    }
    const bool whole = first >= part.first_neuron && end - first == leaky_word,
               mixed = !whole || is_mixed(mix);
    table.words.push_back({mix.leak[0], pattern_of(mix.bias[0]), pattern_of(mix.threshold[0]),
                           pattern_of(mix.value[0]),
                           mixed ? static_cast<std::int32_t>(table.mixes.size()) : -1});
    if (mixed && end > part.first_neuron) table.mixes.push_back(mix);
  }
  return table;
}

template LeakyTable<std::int16_t> leaky_table_of(const LeakyList&, const std::vector<Entry<std::int32_t>>&,
                                                 const Part&);
template LeakyTable<std::int32_t> leaky_table_of(const LeakyList&, const std::vector<Entry<std::int32_t>>&,
                                                 const Part&);

}  // namespace spikeloom
