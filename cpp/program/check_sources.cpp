#include <string>
#include <vector>

#include "program/check_parts.hpp"

namespace spikeloom {
namespace {

// What an input line or a neuron reads: all rows of its axons.
struct Source {
  const char* what;  // "input line" or "neuron"
  std::int32_t number;
  const std::int32_t* axons;
  const std::int32_t* end;

  std::string name() const { return what + std::string(" ") + std::to_string(number); }
};

struct Synapse {
  std::int32_t target;
  std::int64_t code;  // index
  std::int32_t receptor;
};

template <class Visit>
void each_synapse(const Arrays& a, const Source& source, Visit visit) {
  for (const std::int32_t* axon = source.axons; axon != source.end; ++axon) {
    const std::int32_t t = a.axon_template[*axon];
    for (std::int32_t r = a.template_run_start[t]; r < a.template_run_start[t + 1]; ++r)
      for (std::int32_t k = 0; k < a.run_length[r]; ++k) {
        const std::int32_t step = a.run_index[r] < 0 ? k : a.index_target[a.run_index[r] + k];
        visit(Synapse{a.axon_target[*axon] + a.run_target[r] + step,
                      a.axon_weight[*axon] + a.run_weight[r] + k, a.run_receptor[r]});
      }
  }
}

class Check {
 public:
  Check(const Spec& spec, const Arrays& arrays)
      : spec_(spec),
        a_(arrays),
        codes_(std::get_if<Ints>(&arrays.codes)),
        reached_(arrays.core_neuron_start.back(), 0) {}

  void all(const Ints& starts, const Ints& axons, const char* what) {
    for (std::size_t i = 0; i + 1 < starts.size(); ++i)
      one({what, static_cast<std::int32_t>(i), axons.data() + starts[i], axons.data() + starts[i + 1]});
  }

 private:
  void one(const Source& source) {
    ++round_;
    std::int32_t sign = 0, receptor = -1;
    each_synapse(a_, source, [&](const Synapse& synapse) {
      if (spec_.weights.formula == WeightFormula::sign_pre) check_sign(source, synapse, sign);
      if (spec_.event) check_event(source, synapse, receptor);
    });
  }

  bool is_virtual(const Synapse& synapse) const {
    return spec_.event && spec_.event->receptors[synapse.receptor] == EventKind::virtual_synapse;
  }

  // A virtual event brings its own sign.
  void check_sign(const Source& source, const Synapse& synapse, std::int32_t& sign) const {
    const std::int32_t code = (*codes_)[synapse.code];
    if (is_virtual(synapse) || code == 0) return;
    const std::int32_t here = code < 0 ? -1 : 1;
    if (sign == -here)
      throw ProgramError(source.name(), "reads weights of both signs, and the chip has one for each source",
                         {.value = std::int64_t{code}, .remedy = "use one source for each sign"});
    sign = here;
  }

  void check_event(const Source& source, const Synapse& synapse, std::int32_t& receptor) {
    if (receptor >= 0 && receptor != synapse.receptor)
      throw ProgramError(source.name(), "sends events of several kinds",
                         {.value = std::int64_t{synapse.receptor}, .limit = std::int64_t{receptor}});
    receptor = synapse.receptor;
    if (spec_.event->receptors[receptor] != EventKind::neuron && source.what[0] == 'n')
      throw ProgramError(source.name(), "sends an event that only input sends",
                         {.value = std::int64_t{receptor}, .remedy = "use a receptor of neuron events"});
    if (is_virtual(synapse) && (*codes_)[synapse.code] == 0)
      throw ProgramError(source.name(), "sends a virtual event of weight 0, which is read as a neuron event",
                         {.remedy = "leave the synapse out"});
    if (reached_[synapse.target] == round_)
      throw ProgramError(source.name(), "reaches a neuron twice; event mode has one synapse for each pair",
                         {.value = std::int64_t{synapse.target}, .remedy = "add the weights"});
    reached_[synapse.target] = round_;
  }

  const Spec& spec_;
  const Arrays& a_;
  const Ints* codes_;
  std::vector<std::int64_t> reached_;  // [neuron]: the last source that reached it
  std::int64_t round_ = 0;
};

}  // namespace

void check_event_spec(const Spec& spec) {
  const EventSpec& event = *spec.event;
  if (event.receptors.size() != spec.into.size())
    throw ProfileError("event.receptors", "needs one kind for each of delivery.into");
  if (event.receptors.front() != EventKind::neuron)
    throw ProfileError("event.receptors", "begins with the kind neuron");
  if (event.fifo_depth < 1 || event.max_events < 1 || event.leak_every_ticks < 0 || event.visited < 0)
    throw ProfileError("event", "has a number that is out of range");
  if (spec.analog || spec.merge_or || spec.spikes_max_input || spec.spikes_max_recurrent ||
      spec.delay_max != 0)
    throw ProfileError("event", "needs a digital soma, and neither merging nor delays");
}

void check_sources(const Spec& spec, const Arrays& a) {
  if (!spec.event && spec.weights.formula != WeightFormula::sign_pre) return;
  if (spec.event && a.core_neuron_start.size() != 2)
    throw ProgramError("program", "has several cores, and event mode has one",
                       {.value = static_cast<std::int64_t>(a.core_neuron_start.size()) - 1});
  Check check(spec, a);
  check.all(a.input_fan_start, a.input_fan_axon, "input line");
  check.all(a.neuron_fan_start, a.neuron_fan_axon, "neuron");
}

}  // namespace spikeloom
