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

struct Copy {
  static constexpr int arity = 1;
  template <class L>
  SPIKELOOM_INLINE static L apply(L a, L, L, L, Scalars) {
    return a;
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

// Terms beyond two: added one after the other, in their order.
template <class S, class Lane>
class LongSum final : public Operation<S> {
 public:
  std::vector<Term> terms;
  MapKernel<Lane> first[2], next[2];  // by sign
  Target target;
  std::optional<Source> unless;
  WhereKernel<S> find_where;

  void run(const Block<S>& block) const override {
    Lane* sum = block.scratch->template as<Lane>(out_slot);
    for (std::size_t k = 0; k < terms.size(); ++k) {
      const Lane* term = block.template load<Lane>(terms[k].source, 0);
      if (k == 0)
        first[terms[k].minus](sum, term, nullptr, nullptr, nullptr, block.count, {});
      else
        next[terms[k].minus](sum, sum, term, nullptr, nullptr, block.count, {});
    }
    std::int32_t* where = nullptr;
    if (unless) {
      where = block.scratch->template as<std::int32_t>(where_slot);
      find_where(where, block.template load<S>(*unless, 0), block.count);
    }
    block.commit(target, static_cast<const Lane*>(sum), where);
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
std::unique_ptr<Operation<S>> many_terms(Binder<S>& binder, int dst, std::vector<Term> terms,
                                         const Interval& total) {
  auto operation = std::make_unique<LongSum<S, Lane>>();
  operation->terms = std::move(terms);
  operation->first[0] = kernel<Map<Lane, Copy>>(binder.level());
  operation->first[1] = kernel<Map<Lane, Negate>>(binder.level());
  operation->next[0] = kernel<Map<Lane, AddTwo<false, false>>>(binder.level());
  operation->next[1] = kernel<Map<Lane, AddTwo<false, true>>>(binder.level());
  operation->unless = binder.unless();
  operation->find_where = where_kernel<S>(binder.level());
  operation->target = binder.write(dst, total, binder.has("unless"));
  return operation;
}

}  // namespace

template <class S>
std::unique_ptr<Operation<S>> make_sum(Binder<S>& binder) {
  const int dst = binder.element("dst");
  const std::vector<Term> terms = terms_of(binder);
  const Reach<S> reach(binder, terms);
  if (terms.size() == 2) return two_terms(binder, dst, terms[0], terms[1], reach);
  if constexpr (std::is_same_v<S, double>)
    return many_terms<S, double>(binder, dst, terms, reach.total);
  else if (reach.small)
    return many_terms<S, std::int32_t>(binder, dst, terms, reach.total);
  else
    return many_terms<S, std::int64_t>(binder, dst, terms, reach.total);
}

template std::unique_ptr<Operation<std::int32_t>> make_sum(Binder<std::int32_t>&);
template std::unique_ptr<Operation<double>> make_sum(Binder<double>&);

}  // namespace spikeloom
