// sum: dst = t1 + t2 + ..., one write; "-x" is subtracted, "i[*]" stands for all elements of a vector.
#include <algorithm>

#include "soma/elementwise.hpp"
#include "soma/operations/all.hpp"

namespace spikeloom {
namespace {

template <bool minus_a, bool minus_b>
struct AddTwo {
  static constexpr int arity = 2;
  template <class L>
  SPIKELOOM_INLINE static L apply(L a, L b, L, L, Scalars) {
    return (minus_a ? -a : a) + (minus_b ? -b : b);
  }
};

struct Negate {
  static constexpr int arity = 1;
  template <class L>
  SPIKELOOM_INLINE static L apply(L a, L, L, L, Scalars) {
    return -a;
  }
};

struct Term {
  Source source;
  bool minus;
};

// All bits in which a value differs from its sign: below 2^b where every value is within [-2^b, 2^b).
struct Spread {
  SPIKELOOM_INLINE static std::uint32_t run(const std::int32_t* values, int count) {
    std::uint32_t bits = 0;
    for (int i = 0; i < count; ++i) bits |= static_cast<std::uint32_t>(values[i] ^ (values[i] >> 31));
    return bits;
  }
};

// Any terms: added one after the other, in their order.
template <class S, class Lane>
class LongSum final : public Operation<S> {
 public:
  std::vector<Term> terms;
  MapKernel<Lane> negate, next[2];  // next: by sign of what is added
  Target target;
  std::optional<Source> unless;
  WhereKernel<S> find_where;

  void run(const Block<S>& block) const override {
    Lane* const out = block.scratch->template as<Lane>(out_slot);
    const Lane* sum = block.template load<Lane>(terms[0].source, 1);
    const bool copied = terms[0].minus || terms.size() == 1;
    if (terms[0].minus) negate(out, sum, nullptr, nullptr, nullptr, block.count, {});
    if (copied && !terms[0].minus) std::copy_n(sum, block.count, out);
    if (copied) sum = out;
    for (std::size_t k = 1; k < terms.size(); ++k) {
      const Lane* term = block.template load<Lane>(terms[k].source, 0);
      next[terms[k].minus](out, sum, term, nullptr, nullptr, block.count, {});
      sum = out;
    }
    std::int32_t* where = nullptr;
    if (unless) {
      where = block.scratch->template as<std::int32_t>(where_slot);
      find_where(where, block.template load<S>(*unless, 0), block.count);
    }
    block.commit(target, sum, where);
  }
};

// Registers may be too wide for 32-bit lanes and hold values that are not: where those of a block are within
// [-2^bits, 2^bits), neither a partial sum leaves 32 bits nor does the rule act.
class GuardedSum final : public Operation<std::int32_t> {
 public:
  std::unique_ptr<Operation<std::int32_t>> narrow, wide;
  std::vector<int> guarded;  // register elements
  int bits = 0;
  std::uint32_t (*spread)(const std::int32_t*, int);

  void run(const Block<std::int32_t>& block) const override {
    std::uint32_t most = 0;
    for (const int element : guarded) most |= spread(block.reg(element), block.count);
    (most >> bits == 0 ? narrow : wide)->run(block);
  }
};

template <class S>
void append_vector(Binder<S>& binder, const std::string& vector, bool minus, std::vector<Term>& terms) {
  const std::size_t before = terms.size();
  for (int k = 0;; ++k) {
    const int element = binder.program().element(vector + "[" + std::to_string(k) + "]");
    if (element < 0) break;
    terms.push_back({{true, element}, minus});
  }
  if (terms.size() == before) {
    const int element = binder.program().element(vector);  // a vector of one element has no brackets
    if (element < 0) binder.refuse("terms", "names no vector: " + vector);
    terms.push_back({{true, element}, minus});
  }
}

template <class S>
std::vector<Term> terms_of(Binder<S>& binder) {
  std::vector<Term> terms;
  for (const Operand& operand : binder.operands("terms")) {
    const auto* name = std::get_if<std::string>(&operand);
    const bool minus = name != nullptr && name->starts_with('-');
    const std::string bare = name == nullptr ? "" : name->substr(minus ? 1 : 0);
    if (bare.ends_with("[*]"))
      append_vector(binder, bare.substr(0, bare.size() - 3), minus, terms);
    else
      terms.push_back({binder.source(name == nullptr ? operand : Operand{bare}, "terms"), minus});
  }
  if (terms.empty()) binder.refuse("terms", "needs at least one");
  return terms;
}

// The interval of every partial sum is proven to fit the lane, since terms are added one by one.
template <class S>
struct Reach {
  Interval total{0, 0};
  bool small = true;
  Reach(Binder<S>& binder, const std::vector<Term>& terms) {
    for (const Term& term : terms) {
      const Interval range = binder.range(term.source);
      total = term.minus ? subtract(total, range) : add(total, range);
      small = small && range.within(int32_range) && subtract({0, 0}, range).within(int32_range) &&
              total.within(int32_range);
    }
  }
};

template <class S>
std::unique_ptr<Operation<S>> two_terms(Binder<S>& binder, int dst, const Term& a, const Term& b,
                                        const Reach<S>& reach) {
  const auto bind = [&]<bool minus_a, bool minus_b>() {
    return elementwise<AddTwo<minus_a, minus_b>>(binder, dst, {a.source, b.source}, reach.total, reach.small);
  };
  if (a.minus)
    return b.minus ? bind.template operator()<true, true>() : bind.template operator()<true, false>();
  return b.minus ? bind.template operator()<false, true>() : bind.template operator()<false, false>();
}

template <class S, class Lane>
std::unique_ptr<Operation<S>> many_terms(Binder<S>& binder, const std::vector<Term>& terms, Target target) {
  auto operation = std::make_unique<LongSum<S, Lane>>();
  operation->terms = terms;
  operation->negate = kernel<Map<Lane, Negate>>(binder.level());
  operation->next[0] = kernel<Map<Lane, AddTwo<false, false>>>(binder.level());
  operation->next[1] = kernel<Map<Lane, AddTwo<false, true>>>(binder.level());
  operation->unless = binder.unless();
  operation->find_where = where_kernel<S>(binder.level());
  operation->target = target;
  return operation;
}

// The most bits that registers of 32 bits may use so that the sum is one of 32-bit lanes; 0 where there are
// none that are worth a try.
int narrow_bits(const Binder<std::int32_t>& binder, const std::vector<Term>& terms, const Target& target) {
  constexpr int fewest = 20;
  for (int bits = 30; bits >= fewest; --bits) {
    const Interval few{-(std::int64_t{1} << bits), (std::int64_t{1} << bits) - 1};
    Interval total{0, 0};
    bool small = true;
    for (const Term& term : terms) {
      const Interval range = term.source.is_register ? few : binder.range(term.source);
      total = term.minus ? subtract(total, range) : add(total, range);
      small = small && range.within(int32_range) && subtract({0, 0}, range).within(int32_range) &&
              total.within(int32_range);
    }
    if (small && (target.rule == Rule::fits || total.within(target.range))) return bits;
  }
  return 0;
}

std::unique_ptr<Operation<std::int32_t>> guarded_terms(Binder<std::int32_t>& binder,
                                                       const std::vector<Term>& terms, Target target) {
  auto wide = many_terms<std::int32_t, std::int64_t>(binder, terms, target);
  const int bits = narrow_bits(binder, terms, target);
  if (bits == 0) return wide;
  auto operation = std::make_unique<GuardedSum>();
  operation->wide = std::move(wide);
  operation->bits = bits;
  operation->spread = kernel<Spread>(binder.level());
  for (const Term& term : terms)
    if (term.source.is_register) operation->guarded.push_back(term.source.index);
  target.rule = Rule::fits;
  operation->narrow = many_terms<std::int32_t, std::int32_t>(binder, terms, target);
  return operation;
}

}  // namespace

template <class S>
std::unique_ptr<Operation<S>> make_sum(Binder<S>& binder) {
  const int dst = binder.element("dst");
  const std::vector<Term> terms = terms_of(binder);
  const Reach<S> reach(binder, terms);
  if (terms.size() == 2) return two_terms(binder, dst, terms[0], terms[1], reach);
  const Target target = binder.write(dst, reach.total, binder.has("unless"));
  if constexpr (std::is_same_v<S, double>)
    return many_terms<S, double>(binder, terms, target);
  else if (reach.small)
    return many_terms<S, std::int32_t>(binder, terms, target);
  else
    return guarded_terms(binder, terms, target);
}

template std::unique_ptr<Operation<std::int32_t>> make_sum(Binder<std::int32_t>&);
template std::unique_ptr<Operation<double>> make_sum(Binder<double>&);

}  // namespace spikeloom
