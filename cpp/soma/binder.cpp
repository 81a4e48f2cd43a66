#include "soma/binder.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace spikeloom {
namespace {

constexpr bool is_digital(const std::int32_t*) {
  return true;
}
constexpr bool is_digital(const double*) {
  return false;
}

template <class S>
constexpr bool digital = is_digital(static_cast<const S*>(nullptr));

template <class S, class Values>
std::vector<S> stored(const Values& values, bool uniform) {
  if (uniform) return std::vector<S>(block_size, static_cast<S>(values.front()));
  std::vector<S> result(values.size());
  std::transform(values.begin(), values.end(), result.begin(),
                 [](auto value) { return static_cast<S>(value); });
  return result;
}

}  // namespace

template <class S>
EntryTable<S>::EntryTable(const Program& program) {
  for (const Param& param : program.params) {
    if constexpr (digital<S>) {
      const Longs& values = std::get<Longs>(param.values);
      if (param.range.within(int32_range)) {
        values_.push_back(stored<S>(values, param.uniform));
        append({values_.back().data(), nullptr, !param.uniform}, param.range);
      } else {
        wide_.push_back(stored<std::int64_t>(values, param.uniform));
        append({nullptr, wide_.back().data(), !param.uniform}, param.range);
      }
    } else {
      values_.push_back(stored<S>(std::get<Reals>(param.values), param.uniform));
      append({values_.back().data(), nullptr, !param.uniform}, {});
    }
  }
  params_ = entries_.size();
  narrow_params_ = values_.size();
  wide_params_ = wide_.size();
}

template <class S>
void EntryTable<S>::forget_constants() {
  entries_.resize(params_);
  ranges_.resize(params_);
  values_.resize(narrow_params_);
  wide_.resize(wide_params_);
}

template <class S>
int EntryTable<S>::append(Entry<S> entry, Interval range) {
  entries_.push_back(entry);
  ranges_.push_back(range);
  return static_cast<int>(entries_.size()) - 1;
}

template <class S>
int EntryTable<S>::constant(std::int64_t value) {
  if (digital<S> && !Interval{value, value}.within(int32_range)) {
    wide_.emplace_back(block_size, value);
    return append({nullptr, wide_.back().data(), false}, {value, value});
  }
  values_.emplace_back(block_size, static_cast<S>(value));
  return append({values_.back().data(), nullptr, false}, {value, value});
}

std::vector<std::string> counter_names(const Program& program) {
  std::vector<std::string> names;
  for (const RegisterSpec& r : program.spec.registers) names.push_back(r.name + "." + rule_name(r.rule));
  return names;
}

std::vector<Interval> register_ranges(const Program& program) {
  std::vector<Interval> ranges;
  for (const RegisterSpec& r : program.spec.registers)
    ranges.push_back(program.spec.analog ? Interval{} : register_range(r));
  return ranges;
}

template <class S>
Target target_of(const Program& program, int element, const Interval& exact) {
  if constexpr (!digital<S>) {
    Target target;
    target.element = element;
    return target;
  }
  const RegisterSpec& spec = program.spec.registers[element];
  Target target{element, spec.rule, spec.bits, spec.is_signed, register_range(spec), element};
  if (exact.within(target.range)) target.rule = Rule::fits;
  return target;
}

template <class S>
Binder<S>::Binder(const Program& program, EntryTable<S>& entries, std::vector<Interval> registers,
                  Level level)
    : program_(program), entries_(entries), registers_(std::move(registers)), level_(level) {}

template <class S>
const OperationSpec* Binder<S>::neighbour(int step) const {
  const std::vector<OperationSpec>& list = program_.spec.operations;
  const std::ptrdiff_t place = operation_ - list.data() + step;
  return place < 0 || place >= std::ssize(list) ? nullptr : &list[place];
}

template <class S>
void Binder<S>::refuse(const std::string& name, const std::string& problem) const {
  throw ProfileError("operation." + operation_->name + "." + name, problem);
}

template <class S>
const Field& Binder<S>::field(const std::string& name) const {
  const auto found = operation_->fields.find(name);
  if (found == operation_->fields.end()) refuse(name, "is missing");
  return found->second;
}

template <class S>
std::string Binder<S>::text(const std::string& name) const {
  if (const auto* value = std::get_if<std::string>(&field(name))) return *value;
  refuse(name, "must be a name");
}

template <class S>
std::int64_t Binder<S>::integer(const std::string& name) const {
  if (const auto* value = std::get_if<std::int64_t>(&field(name))) return *value;
  refuse(name, "must be an integer");
}

template <class S>
bool Binder<S>::flag(const std::string& name) const {
  if (const auto* value = std::get_if<bool>(&field(name))) return *value;
  refuse(name, "must be true or false");
}

template <class S>
Source Binder<S>::source(const std::string& name) {
  const Field& value = field(name);
  if (const auto* number = std::get_if<std::int64_t>(&value)) return source(Operand{*number}, name);
  if (const auto* operand = std::get_if<std::string>(&value)) return source(Operand{*operand}, name);
  refuse(name, "must be a register, a parameter or an integer");
}

template <class S>
Source Binder<S>::source(const Operand& operand, const std::string& name) {
  if (const auto* number = std::get_if<std::int64_t>(&operand)) return constant(*number);
  const std::string& known = std::get<std::string>(operand);
  if (const int element = program_.element(known); element >= 0) return {true, element};
  if (const int param = program_.param(known); param >= 0) return {false, param};
  refuse(name, "names neither a register nor a parameter: " + known);
}

template <class S>
const std::vector<Operand>& Binder<S>::operands(const std::string& name) const {
  if (const auto* value = std::get_if<std::vector<Operand>>(&field(name))) return *value;
  refuse(name, "must be a list of operands");
}

template <class S>
std::vector<std::pair<std::string, Operand>> Binder<S>::pairs(const std::string& name) const {
  if (!has(name)) return {};
  if (const auto* value = std::get_if<std::vector<std::pair<std::string, Operand>>>(&field(name)))
    return *value;
  refuse(name, "must be a table of operands");
}

template <class S>
std::vector<double> Binder<S>::reals(const std::string& name) const {
  if (!has(name)) return {};
  if (const auto* value = std::get_if<std::vector<double>>(&field(name))) return *value;
  if (const auto* list = std::get_if<std::vector<Operand>>(&field(name)); list != nullptr && list->empty())
    return {};
  refuse(name, "must be a list of real numbers");
}

template <class S>
int Binder<S>::element(const std::string& name) const {
  return element_named(text(name), name);
}

template <class S>
int Binder<S>::element_named(const std::string& known, const std::string& name) const {
  const int element = program_.element(known);
  if (element < 0) refuse(name, "names no register: " + known);
  return element;
}

template <class S>
std::optional<Source> Binder<S>::unless() {
  if (!has("unless")) return std::nullopt;
  return Source{true, element("unless")};
}

template <class S>
Target Binder<S>::write(int element, const Interval& exact, bool partial) {
  const Target target = target_of<S>(program_, element, exact);
  if constexpr (digital<S>) {
    const Interval written = after_rule(target, exact);
    registers_[element] = partial ? hull(registers_[element], written) : written;
  }
  return target;
}

template class EntryTable<std::int32_t>;
template class EntryTable<double>;
template class Binder<std::int32_t>;
template class Binder<double>;
template Target target_of<std::int32_t>(const Program&, int, const Interval&);
template Target target_of<double>(const Program&, int, const Interval&);

}  // namespace spikeloom
