// What a profile says, as the core needs it: names, widths, formulas, the operation list.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace spikeloom {

// What a write outside a register's width does; `fits` is a write that was proven to fit.
enum class Rule : std::uint8_t { fits, wrap, saturate, wrap_lava24, trap };
const char* rule_name(Rule rule);

// One register element; vectors are listed element by element ("i[0]", "i[1]").
struct RegisterSpec {
  std::string name;
  int bits = 0;  // 0: binary64 (analog soma)
  bool is_signed = true;
  Rule rule = Rule::fits;
  bool clear_each_tick = false;
  bool free_start = false;  // the program may set where it starts
};

enum class ParamFormat : std::uint8_t {
  plain,
  shift,
  mant_exp,
  pow2_minus1,
  neg_pow2_plus1,
  pow2_9_plus_2e_minus1,
  real
};

struct ParamSpec {
  std::string name;
  ParamFormat format = ParamFormat::plain;
  std::optional<double> min, max;  // of the code
  int shift = 0;                   // of format shift
  int exp_max = 0;                 // of format mant_exp
};

enum class WeightFormula : std::uint8_t { real, plain, shift, mant_exp, type_table, sign_pre };

struct WeightMode {
  std::string name;
  std::int64_t min = 0, max = 0, step = 1;  // the codes are the multiples of step from min to max
};

struct SharedValue {
  std::string name;
  std::int64_t min = 0, max = 0;
};

struct WeightSpec {
  WeightFormula formula = WeightFormula::plain;
  int unit_shift = 0;
  std::optional<std::int64_t> clip;
  std::vector<WeightMode> modes;
  std::vector<SharedValue> shared;
  std::vector<std::string> table;  // of type_table: the parameter that each type of axon adds
};

// A field of an operation. An operand is a register, a parameter or an integer.
using Operand = std::variant<std::int64_t, std::string>;
using Field = std::variant<bool, std::int64_t, std::string, std::vector<Operand>,
                           std::vector<std::pair<std::string, Operand>>, std::vector<double>>;

struct OperationSpec {
  std::string op;    // which operation
  std::string name;  // its own name in the list
  std::map<std::string, Field> fields;
  std::string on{};  // event mode: the events in which it acts ("synapse", "virtual", "leak"); empty: all
};

// How a tick takes clocks: numbers by their key ("per_event", "aer.input_gap"); one that is absent is not
// stated. "neurons" and "axons" are the sizes of a core, "width", "height" and "buffer" those of the mesh.
struct CycleSpec {
  std::string controller;  // empty: none
  std::map<std::string, double> numbers;
};

// Gaussian jitter of the steps that a neuron's spike travels; absent where `std` is 0.
struct Jitter {
  double std = 0;         // steps
  std::int32_t most = 0;  // largest shift, later
  int layer = 0;          // number of the effect
};

// What a spike on an axon of a receptor is: an event of the FIFO that visits all neurons; for each synapse an
// event of the FIFO that visits its target; the same without the FIFO.
enum class EventKind : std::uint8_t { neuron, virtual_synapse, synapse };

// Event mode; see EventMode in python/spikeloom/profile/event_mode.py.
struct EventSpec {
  std::vector<EventKind> receptors;
  std::int32_t fifo_depth = 1;
  std::int64_t max_events = 1;        // of one drain
  std::int32_t leak_every_ticks = 0;  // 0: no leak events
  std::int32_t visited = 0;           // neurons that an event visits, for what is counted; 0: those in use
};

struct Spec {
  bool analog = false;
  std::int32_t steps = 1;     // of the machine in one tick of the input
  bool spread_input = false;  // input lines share the steps of a tick evenly, else all come at the first
  int read_layer = 0;         // number of the effect of read noise
  Jitter jitter;
  std::int32_t latency = 1;    // ticks from a spike to its arrival, without delay
  std::int32_t delay_max = 0;  // largest synaptic delay
  bool merge_or = false;
  std::optional<std::int32_t> spikes_max_input, spikes_max_recurrent;
  bool accumulate_each = false;    // the rule after every addition, instead of one write of the sum
  bool recurrent_first = false;    // delivery.order
  std::vector<std::string> into;   // register element of each receptor
  std::optional<EventSpec> event;  // absent: all cores meet at the end of every tick
  std::string overridable;         // parameter that a run may set sample by sample; empty: none
  std::vector<RegisterSpec> registers;
  std::vector<ParamSpec> params;
  WeightSpec weights;
  std::vector<OperationSpec> operations;
  CycleSpec cycles;
};

}  // namespace spikeloom
