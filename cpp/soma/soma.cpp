#include "soma/soma.hpp"

#include <algorithm>
#include <numeric>
#include <type_traits>

#include "base/error.hpp"
#include "soma/one_pass/allowed.hpp"

namespace spikeloom {
namespace {

Make<std::int32_t> make_of(const OperationKind& kind, const std::int32_t*) {
  return kind.digital;
}
Make<double> make_of(const OperationKind& kind, const double*) {
  return kind.analog;
}

bool is_firing(const std::string& op) {
  return op == "fire" || op == "fire2" || op == "multi_fire";
}

void check_one_fires(const Program& program) {
  const auto& list = program.spec.operations;
  const auto firing =
      std::count_if(list.begin(), list.end(), [](const auto& entry) { return is_firing(entry.op); });
  if (firing > 1)
    throw ProfileError("operation list", "has more than one operation that makes spikes",
                       {.value = static_cast<std::int64_t>(firing), .limit = std::int64_t{1}});
}

Interval start_interval(const Codes& codes) {
  const Ints* values = std::get_if<Ints>(&codes);
  if (values == nullptr || values->empty()) return {0, 0};
  const auto [lo, hi] = std::minmax_element(values->begin(), values->end());
  return {*lo, *hi};
}

std::vector<Interval> start_intervals(const Program& program) {
  std::vector<Interval> intervals;
  for (const Codes& codes : program.start) intervals.push_back(start_interval(codes));
  return intervals;
}

// How an operation's `on` calls the events of a receptor.
const char* event_name(EventKind kind) {
  return kind == EventKind::virtual_synapse ? "virtual" : "synapse";
}

std::vector<int> all_below(int count) {
  std::vector<int> numbers(count);
  std::iota(numbers.begin(), numbers.end(), 0);
  return numbers;
}

constexpr int patience = 8;  // rounds before an interval that still grows is taken at its full width

// The value of a field that is an integer or a digital parameter.
std::int64_t largest(const Program& program, const OperationSpec& operation, const char* field) {
  const auto max = operation.fields.find(field);
  if (max == operation.fields.end()) return 0;
  if (const auto* number = std::get_if<std::int64_t>(&max->second)) return std::max<std::int64_t>(*number, 0);
  const auto* name = std::get_if<std::string>(&max->second);
  const int param = name == nullptr ? -1 : program.param(*name);
  if (param < 0 || program.spec.analog) return most_spikes;
  return std::max<std::int64_t>(program.params[param].range.hi, 0);
}

}  // namespace

bool has_aliases(const Program& program) {
  const auto& list = program.spec.operations;
  return std::any_of(list.begin(), list.end(), [](const auto& entry) { return entry.op == "alias"; });
}

std::int64_t most_spikes_per_tick(const Program& program) {
  std::int64_t most = 1;
  for (const OperationSpec& operation : program.spec.operations)
    if (operation.op == "multi_fire" || operation.op == "alias")
      most = std::max(most, largest(program, operation, "max"));
  return most;
}

template <class S>
Soma<S>::Soma(const Program& program, const std::vector<Interval>& arriving, Level level)
    : program_(program), level_(level), entries_(program), rules_(level) {
  check_one_fires(program);
  for (std::size_t element = 0; element < program.spec.registers.size(); ++element)
    if (program.spec.registers[element].clear_each_tick) cleared_.push_back(static_cast<int>(element));
  const int receptors = program.receptors();
  deliveries_.resize(receptors);
  narrow_deliveries_.resize(receptors);
  if (program.spec.event) {
    for (int r = 0; r < receptors; ++r)
      stages_.push_back({event_name(program.spec.event->receptors[r]), {r}, {}});
    stages_.push_back({"leak", {}, {}});
  } else {
    stages_.push_back({"", all_below(receptors), {}});
  }
  settle(arriving);
  if (!may_run_in_one_pass()) return;
  find_leaky_list(arriving);
  if constexpr (std::is_same_v<S, double>) linear_pass_ = linear_pass_of(program, entries_, level);
}

// Grows the intervals at the start of a tick until one pass of the list stays within them.
template <class S>
void Soma<S>::settle(const std::vector<Interval>& arriving) {
  resting_ = start_intervals(program_);
  const std::vector<Interval> widest = register_ranges(program_);
  for (int round = 0;; ++round) {
    const std::vector<Interval> after = bind(resting_, arriving);
    bool settled = true;
    for (std::size_t element = 0; element < after.size(); ++element) {
      if (program_.spec.analog || after[element].within(resting_[element])) continue;
      settled = false;
      resting_[element] = hull(resting_[element], after[element]);
      if (round >= patience) resting_[element] = hull(resting_[element], widest[element]);
      if (round >= 2 * patience) resting_[element] = int32_range;
    }
    if (settled) return;
  }
}

// Sums go past their register where nothing else is ever in it and every write of them fits.
template <class S>
void Soma<S>::find_leaky_list(const std::vector<Interval>& arriving) {
  if (program_.spec.analog || program_.spec.event || program_.spec.accumulate_each) return;
  if (program_.receptors() != 1 || cleared_ != program_.into) return;
  const int arrived = program_.into.front();
  if (resting_[arrived] != Interval{} || deliveries_[0].rule != Rule::fits || !narrow_deliveries_[0]) return;
  if constexpr (std::is_same_v<S, std::int32_t>) {
    Binder<S> binder(program_, entries_, resting_, level_);
    deliver(binder, 0, arriving);
    leaky_list_ = leaky_list_of(binder, arrived);
  }
}

// Every stage starts from the same intervals; the result holds whatever any of them leaves.
template <class S>
std::vector<Interval> Soma<S>::bind(const std::vector<Interval>& begin,
                                    const std::vector<Interval>& arriving) {
  entries_.forget_constants();
  std::vector<Interval> after;
  for (Stage& stage : stages_) {
    Binder<S> binder(program_, entries_, begin, level_);
    for (const int receptor : stage.receptors) deliver(binder, receptor, arriving);
    bind_operations(binder, stage);
    std::vector<Interval> left = binder.registers();
    for (const int element : cleared_) left[element] = {0, 0};
    for (std::size_t element = 0; element < after.size(); ++element)
      left[element] = hull(left[element], after[element]);
    after = std::move(left);
  }
  return after;
}

template <class S>
void Soma<S>::deliver(Binder<S>& binder, int receptor, const std::vector<Interval>& arriving) {
  const int element = program_.into[receptor];
  const Interval sum = program_.spec.analog ? Interval{} : arriving[receptor];
  const Interval exact = add(binder.registers()[element], sum);
  narrow_deliveries_[receptor] = exact.within(int32_range) && sum.within(int32_range);
  deliveries_[receptor] = binder.write(element, exact, false);
}

template <class S>
void Soma<S>::bind_operations(Binder<S>& binder, Stage& stage) {
  stage.operations.clear();
  for (const OperationSpec& operation : program_.spec.operations) {
    if (!operation.on.empty() && operation.on != stage.event) continue;
    const auto make = make_of(find_operation(operation.op), static_cast<const S*>(nullptr));
    binder.begin(operation);
    if (make == nullptr)
      binder.refuse("op", program_.spec.analog ? "is an operation of integers, and the soma is analog"
                                               : "is an operation of real numbers, and the soma is digital");
    if (auto bound = make(binder)) stage.operations.push_back(std::move(bound));
  }
}

template <class S>
void Soma<S>::update(const Block<S>& block, int stage) const {
  for (const auto& operation : stages_[stage].operations) operation->run(block);
  for (const int element : cleared_) std::fill_n(block.reg(element), block.count, S{});
}

template class Soma<std::int32_t>;
template class Soma<double>;

}  // namespace spikeloom
