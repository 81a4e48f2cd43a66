#include "soma/one_pass/linear.hpp"

#include <algorithm>
#include <string>

#include "soma/one_pass/linear_list.hpp"

namespace spikeloom {
namespace {

template <int others, Known known>
PassKernel pass_at(Level level) {
  if (level == Level::v4) return kernel_for<LinearKernel<others, known, 8>, Level::v4>();
  if (level == Level::v3) return kernel_for<LinearKernel<others, known, 4>, Level::v3>();
  return kernel_for<LinearKernel<others, known, 2>, Level::baseline>();
}

template <Known known>
PassKernel pass_kernel(std::size_t others, Level level) {
  if (others == 0) return pass_at<0, known>(level);
  if (others == 1) return pass_at<1, known>(level);
  if (others == 2) return pass_at<2, known>(level);
  return pass_at<3, known>(level);
}

constexpr int none = LinearList::none;

// Reads the list entry by entry; false as soon as it is another list.
class Match {
 public:
  Match(const Program& program, EntryTable<double>& entries, Level level)
      : program_(program), binder_(program, entries, {}, level), list_(program.spec.operations) {}

  std::unique_ptr<LinearList> found() {
    if (!integrates() || !delivers()) return nullptr;
    if (next_is("add_noise") && !draws()) return nullptr;
    if (next_is("hold_zero") && !holds()) return nullptr;
    if (next_is("count_down") && !counts()) return nullptr;
    if (!next_is("fire") || !fires() || at_ != list_.size()) return nullptr;
    const std::size_t others = pass_->states.size() - 1;
    pass_->pass_any = pass_kernel<Known::nothing>(others, binder_.level());
    pass_->pass_uniform = pass_kernel<Known::uniform>(others, binder_.level());
    pass_->pass_common = pass_->crossing == Crossing::gt
                             ? pass_kernel<Known::common_gt>(others, binder_.level())
                             : pass_kernel<Known::common_ge>(others, binder_.level());
    return std::move(pass_);
  }

 private:
  // Moves on to the entry and binds its fields, where it is this operation and acts on every neuron.
  bool next_is(const char* op) {
    if (at_ == list_.size() || list_[at_].op != op) return false;
    binder_.begin(list_[at_]);
    if (binder_.has("unless")) return false;
    ++at_;
    return true;
  }

  bool integrates() {
    if (!next_is("linear_exact")) return false;
    const auto &states = binder_.operands("states"), &sources = binder_.operands("sources");
    if (states.size() > LinearArrays::most_states || sources.size() < states.size()) return false;
    if (sources.size() - states.size() > LinearArrays::most_held) return false;
    for (const Operand& state : states) {
      const Source written = binder_.source(state, "states");
      if (!written.is_register) return false;
      pass_->states.push_back(written.index);
    }
    for (std::size_t j = 0; j < sources.size(); ++j)
      if (!takes_in(j, sources[j])) return false;
    for (std::size_t k = 1; k < states.size(); ++k)
      if (!only_decays(k, sources.size())) return false;
    return true;
  }

  // Column j of v's row.
  bool takes_in(std::size_t j, const Operand& operand) {
    const Operand& entry = binder_.operands("matrix")[j];
    const Source source = binder_.source(operand, "sources");
    if (j < pass_->states.size()) {
      pass_->factors.push_back(binder_.source(entry, "matrix"));
      return !is_zero(entry) && source.is_register && source.index == pass_->states[j] &&
             !pass_->factors.back().is_register;
    }
    if (is_zero(entry)) return true;
    pass_->held.push_back({binder_.source(entry, "matrix"), source});
    return !source.is_register && !pass_->held.back().factor.is_register;
  }

  bool only_decays(std::size_t k, std::size_t columns) {
    for (std::size_t j = 0; j < columns; ++j) {
      const Operand& entry = binder_.operands("matrix")[k * columns + j];
      if (is_zero(entry) == (j == k)) return false;
      if (j != k) continue;
      pass_->decays.resize(pass_->states.size());
      pass_->decays[k] = binder_.source(entry, "matrix");
      if (pass_->decays[k].is_register) return false;
    }
    return true;
  }

  bool delivers() {
    pass_->receptors.assign(pass_->states.size(), none);
    for (std::size_t r = 0; r < program_.into.size(); ++r) {
      const auto state = std::find(pass_->states.begin(), pass_->states.end(), program_.into[r]);
      if (state == pass_->states.end()) return false;
      int& receptor = pass_->receptors[state - pass_->states.begin()];
      if (receptor != none) return false;
      receptor = static_cast<int>(r);
    }
    pass_->delivering = program_.receptors();
    return true;
  }

  bool is_v(const char* field) const { return binder_.element(field) == pass_->states[0]; }

  bool draws() {
    pass_->sigma = binder_.source("sigma");
    if (!binder_.all_zero(pass_->sigma))
      pass_->noise.emplace(program_, static_cast<int>(binder_.integer("layer")), binder_.level());
    return is_v("reg") && !pass_->sigma.is_register;
  }

  // The one counter, which is no state.
  bool is_counter(int element) {
    const bool first = pass_->counter == none;
    if (first) pass_->counter = element;
    return pass_->counter == element &&
           std::find(pass_->states.begin(), pass_->states.end(), element) == pass_->states.end();
  }

  bool holds() {
    pass_->holds = true;
    return is_v("reg") && is_counter(binder_.element("counter"));
  }

  bool counts() {
    pass_->counts = true;
    return is_counter(binder_.element("reg"));
  }

  bool fires() {
    if (!is_v("reg") || (binder_.has("gate") && !binder_.all_zero(binder_.source("gate")))) return false;
    pass_->threshold = binder_.source("thr");
    return !pass_->threshold.is_register && compares(binder_.text("cmp")) && resets(binder_.text("reset")) &&
           starts();
  }

  bool compares(const std::string& cmp) {
    pass_->crossing = cmp == "gt" ? Crossing::gt : cmp == "ge" ? Crossing::ge : Crossing::ge_nonneg;
    return cmp == "gt" || cmp == "ge" || cmp == "ge_nonneg";
  }

  bool resets(const std::string& kind) {
    pass_->resets = kind != "none";
    pass_->subtracts = kind == "subtract";
    pass_->reset = kind == "zero"    ? binder_.constant(0)
                   : kind == "value" ? binder_.source("value")
                                     : pass_->threshold;
    return !pass_->reset.is_register;
  }

  bool starts() {
    const auto pairs = binder_.pairs("start");
    if (pairs.empty()) return true;
    pass_->starts = true;
    pass_->start = binder_.source(pairs[0].second, "start");
    return pairs.size() == 1 && !pass_->start.is_register &&
           is_counter(binder_.element_named(pairs[0].first, "start"));
  }

  static bool is_zero(const Operand& operand) {
    const auto* number = std::get_if<std::int64_t>(&operand);
    return number != nullptr && *number == 0;
  }

  const Program& program_;
  Binder<double> binder_;
  const std::vector<OperationSpec>& list_;
  std::size_t at_ = 0;
  std::unique_ptr<LinearList> pass_ = std::make_unique<LinearList>();
};

}  // namespace

std::unique_ptr<LinearPass<double>> linear_pass_of(const Program& program, EntryTable<double>& entries,
                                                   Level level) {
  const auto& registers = program.spec.registers;
  const bool cleared =
      std::any_of(registers.begin(), registers.end(), [](const auto& r) { return r.clear_each_tick; });
  if (cleared || program.spec.event) return nullptr;
  return Match(program, entries, level).found();
}

}  // namespace spikeloom
