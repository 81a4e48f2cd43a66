// Binding of an operation list: names become places, intervals prove how wide each computation must be.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "base/interval.hpp"
#include "base/level.hpp"
#include "program/program.hpp"
#include "soma/block.hpp"

namespace spikeloom {

// Storage behind the entries: parameters first, in the program's order, then constants.
template <class S>
class EntryTable {
 public:
  explicit EntryTable(const Program& program);
  int constant(std::int64_t value);  // index of an entry that holds it everywhere
  void forget_constants();
  const std::vector<Entry<S>>& entries() const { return entries_; }
  const Interval& range(int index) const { return ranges_[index]; }
  bool all_zero(int index) const { return uniform(index) && entries_[index].values[0] == 0; }
  bool uniform(int index) const { return !entries_[index].per_neuron; }

 private:
  int append(Entry<S> entry, Interval range);
  std::vector<Entry<S>> entries_;
  std::vector<Interval> ranges_;
  std::size_t params_ = 0, narrow_params_ = 0, wide_params_ = 0;
  std::deque<std::vector<S>> values_;
  std::deque<std::vector<std::int64_t>> wide_;
};

// What `name.rule` counts, one for each register element that has a rule.
std::vector<std::string> counter_names(const Program& program);

// What each register element may hold.
std::vector<Interval> register_ranges(const Program& program);

template <class S>
class Binder {
 public:
  // `registers` are the intervals when the list begins; the binder moves them along.
  Binder(const Program& program, EntryTable<S>& entries, std::vector<Interval> registers, Level level);
  void begin(const OperationSpec& operation) { operation_ = &operation; }

  // The entry of the list that stands `step` places after the current one, or null.
  const OperationSpec* neighbour(int step) const;

  Level level() const { return level_; }
  const std::vector<Interval>& registers() const { return registers_; }

  // Fields of the current operation; ProfileError names the operation and the field.
  bool has(const std::string& field) const { return operation_->fields.contains(field); }
  bool is_text(const std::string& name) const { return std::holds_alternative<std::string>(field(name)); }
  std::string text(const std::string& field) const;
  std::int64_t integer(const std::string& field) const;
  bool flag(const std::string& field) const;
  Source source(const std::string& field);
  Source source(const Operand& operand, const std::string& field);
  Source constant(std::int64_t value) { return {false, entries_.constant(value)}; }
  const std::vector<Operand>& operands(const std::string& field) const;
  std::vector<std::pair<std::string, Operand>> pairs(const std::string& field) const;
  std::vector<double> reals(const std::string& field) const;  // empty where the field is absent
  int element(const std::string& field) const;
  int element_named(const std::string& name, const std::string& field) const;
  std::optional<Source> unless();
  const Program& program() const { return program_; }

  Interval range(const Source& source) const {
    return source.is_register ? registers_[source.index] : entries_.range(source.index);
  }
  // An entry that holds 0 for every neuron.
  bool all_zero(const Source& source) const { return !source.is_register && entries_.all_zero(source.index); }
  bool uniform(const Source& source) const { return !source.is_register && entries_.uniform(source.index); }

  // A write of exact results in `exact`; `partial` where some neurons may keep their value. Moves the
  // interval.
  Target write(int element, const Interval& exact, bool partial);
  [[noreturn]] void refuse(const std::string& field, const std::string& problem) const;

 private:
  const Field& field(const std::string& name) const;
  const Program& program_;
  EntryTable<S>& entries_;
  std::vector<Interval> registers_;
  Level level_;
  const OperationSpec* operation_ = nullptr;
};

template <class S>
Target target_of(const Program& program, int element, const Interval& exact);

}  // namespace spikeloom
