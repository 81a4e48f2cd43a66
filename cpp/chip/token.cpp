// The controller token: cores that take ticks from outside, and a mesh whose packets may come late.
//
// Packets are written into slot pointer + offset + 1 of the receiving core, whatever tick they were sent in.
// One that comes after the next tick was set is late and read a tick later, one in the clock that clears a
// slot is lost. A tick is computed when all cores that took it have set their slot. A core that loses a tick
// computes it all the same, and what it sends is in time, as without clocks; the counter says so.
#include <algorithm>
#include <limits>
#include <utility>

#include "base/bytes.hpp"
#include "chip/carried_core.hpp"
#include "chip/core_sizes.hpp"
#include "chip/stepped_clock.hpp"
#include "chip/token_unit.hpp"

namespace spikeloom {
namespace {

constexpr std::int64_t set_clocks = 2;  // of a tick: in idle, and to set the slot

class Token final : public Controller {
 public:
  explicit Token(const Program& loaded);
  CycleNames names() const override {
    CycleNames names;
    names.exact = true;
    names.phases = {"IDLE", "SET", "AXONS", "WRITE", "CHECK", "CLEAR"};
    names.stalls = {"local_full", "link_blocked", "outvoted"};
    names.buffers = {"router"};
    names.buffer_sizes = {width * height * ports};
    names.counters = {"packets", "hops", "late", "lost", "lost_ticks"};
    return names;
  }
  std::unique_ptr<Clock> start() const override;
  std::int32_t cores() const { return static_cast<std::int32_t>(program.core_neuron_start.size()) - 1; }

  const Program& program;
  std::int32_t neurons, axons, period, width, height, buffer;
  Ints core_of_axon, delay;
};

Token::Token(const Program& loaded)
    : program(loaded),
      neurons(cycle_number(loaded, "neurons")),
      axons(cycle_number(loaded, "axons")),
      period(cycle_number(loaded, "tick_clocks")),
      width(cycle_number(loaded, "width")),
      height(cycle_number(loaded, "height")),
      buffer(cycle_number(loaded, "buffer")) {
  check_core_sizes(program);
  for (std::int32_t core = 0; core < cores(); ++core)
    for (std::int32_t axon = program.core_axon_start[core]; axon < program.core_axon_start[core + 1];
         ++axon) {
      core_of_axon.push_back(core);
      delay.push_back(delay_of_axon(program, axon));
    }
  for (std::int32_t neuron = 0; neuron < program.neurons(); ++neuron)
    if (program.neuron_fan_start[neuron + 1] - program.neuron_fan_start[neuron] > 1)
      throw ProgramError(
          "neuron " + std::to_string(neuron), "has more than one destination",
          {.limit = std::int64_t{1}, .remedy = "the controller token sends one packet a spike"});
}

class TokenClock final : public SteppedClock {
 public:
  explicit TokenClock(const Token& of)
      : of_(of), received_(of.cores(), Fifo<Packet>(2)), mesh_(of.width, of.height, of.buffer) {
    for (std::int32_t core = 0; core < of.cores(); ++core) units_.emplace_back(core, of.neurons, of.axons);
    reset();
  }

  void reset() override { start_from(-1); }
  bool carries() const override { return true; }
  void begin(const TickWork& work) override;
  std::string save() const override;
  void restore(const std::string& state) override;
  CycleRow row() const override;

 private:
  void start_from(std::int64_t pointer);
  void compute();
  bool arrivals_wait() const;
  std::int64_t calm() const override;
  void skip(std::int64_t clocks) override;
  void one(bool watched) override;
  void receive(std::size_t core);
  void watch();
  void account(const TokenUnit& unit, std::size_t core);
  void advance(std::int64_t clocks);

  const Token& of_;
  std::vector<TokenUnit> units_;
  std::vector<Fifo<Packet>> received_;  // [core] seen by the scheduler in the next clock
  Mesh mesh_;
  CarriedCores* carried_ = nullptr;
  std::vector<char> took_;  // [core] this tick
  std::int64_t first_tick_ = 0, tick_ = -1, computed_ = -1, clock_ = 0;
  std::int64_t packets_ = 0, hops_ = 0, late_ = 0, lost_ = 0, lost_ticks_ = 0, waited_ = 0;
  CycleRow row_;
};

void TokenClock::start_from(std::int64_t pointer) {
  for (auto& unit : units_) unit.reset(pointer);
  for (auto& fifo : received_) fifo.clear();
  mesh_.reset();
  over_ = true;
  view_ = {};
  first_tick_ = pointer + 1;
  tick_ = computed_ = pointer;
  took_.assign(units_.size(), 0);
  packets_ = hops_ = late_ = lost_ = lost_ticks_ = waited_ = 0;
  row_ = {};
  row_.busy.resize(of_.cores());
}

void TokenClock::begin(const TickWork& work) {
  tick_ = work.tick;
  clock_ = 0;
  over_ = false;
  carried_ = work.carried;
  row_.ticks.push_back(0);
  row_.phases.resize(row_.phases.size() + token_states);
  for (std::size_t core = 0; core < units_.size(); ++core) {
    took_[core] = units_[core].sample(work.tick);
    lost_ticks_ += !took_[core];
  }
}

// The slots are set; what is due in this tick has arrived.
void TokenClock::compute() {
  const Program& program = of_.program;
  std::vector<std::vector<TokenSpike>> spikes(units_.size());
  for (const Spike& spike : carried_->compute()) {
    const std::int32_t core = program.core_of(spike.neuron), fan = program.neuron_fan_start[spike.neuron];
    if (fan == program.neuron_fan_start[spike.neuron + 1]) continue;
    const std::int32_t axon = program.neuron_fan_axon[fan];
    const auto due = static_cast<std::int32_t>(tick_ + program.spec.latency + of_.delay[axon]);
    if (took_[core])
      spikes[core].push_back(
          {spike.neuron - program.core_neuron_start[core], {of_.core_of_axon[axon], axon, due, 1}});
    else
      carried_->arrive(axon, tick_ + program.spec.latency);
  }
  for (std::size_t core = 0; core < units_.size(); ++core)
    if (took_[core]) units_[core].give(std::move(spikes[core]));
  computed_ = tick_;
}

bool TokenClock::arrivals_wait() const {
  return std::any_of(received_.begin(), received_.end(), [](const auto& fifo) { return !fifo.empty(); });
}

std::int64_t TokenClock::calm() const {
  if (!mesh_.idle() || arrivals_wait()) return 0;
  std::int64_t clocks = of_.period - clock_;
  if (computed_ < tick_) clocks = std::min(clocks, set_clocks - clock_);
  for (const auto& unit : units_) clocks = std::min(clocks, unit.calm());
  return clocks;
}

void TokenClock::skip(std::int64_t clocks) {
  for (auto& unit : units_) unit.skip(clocks);
  advance(clocks);
}

void TokenClock::one(bool watched) {
  if (clock_ == set_clocks) compute();
  if (watched) watch();
  PushedSpike sent{};
  for (std::size_t core = 0; core < units_.size(); ++core) {
    TokenUnit& unit = units_[core];
    const std::int64_t waited = unit.waited();
    const bool worked = unit.busy();
    receive(core);
    const bool sends = unit.step(mesh_, sent);
    packets_ += sends;
    if (unit.busy()) waited_ += unit.waited() - waited;
    if (sends && watched) view_.spikes.push_back(sent);
    if (worked && !unit.busy()) account(unit, core);
  }
  mesh_.step(received_);
  hops_ += static_cast<std::int64_t>(mesh_.hops().size());
  if (watched) {
    for (const Hop& hop : mesh_.hops())
      view_.transfers.push_back({hop.place % of_.width, hop.place / of_.width, hop.output});
    std::sort(view_.transfers.begin(), view_.transfers.end());
    view_.go = clock_ + 1 == of_.period;
  }
  mesh_.settle();
  for (auto& fifo : received_) fifo.settle();
  advance(1);
}

void TokenClock::receive(std::size_t core) {
  if (received_[core].empty()) return;
  const Packet packet = received_[core].front();
  received_[core].pop();
  if (units_[core].state() == clear_state) {
    ++lost_;
    return;
  }
  // Where a core lost its tick its slot stands still, and what is computed all the same has gone by.
  const std::int64_t read =
      std::max(units_[core].pointer() + of_.program.spec.latency, computed_ + 1);  // without the delay
  late_ += read + of_.delay[packet.axon] != packet.ticks;
  carried_->arrive(packet.axon, read);
}

void TokenClock::advance(std::int64_t clocks) {
  clock_ += clocks;
  over_ = clock_ == of_.period;
  if (over_ && computed_ < tick_) compute();
}

// A core has ended its tick.
void TokenClock::account(const TokenUnit& unit, std::size_t core) {
  const std::size_t at = unit.tick() - first_tick_;
  const std::int64_t clocks = unit.tick_clocks();
  row_.ticks[at] = std::max(row_.ticks[at], clocks);
  row_.busy[core] += clocks;
  const Longs spent = {std::max<std::int64_t>(of_.period - clocks, 0),
                       1,
                       std::int64_t{of_.neurons} * of_.axons,
                       of_.neurons + unit.waited(),
                       of_.neurons,
                       1};
  for (std::size_t phase = 0; phase < spent.size(); ++phase) {
    std::int64_t& longest = row_.phases[at * token_states + phase];
    longest = std::max(longest, spent[phase]);
  }
}

// Registers as they are when the clock begins.
void TokenClock::watch() {
  view_ = {};
  view_.clock = clock_;
  for (const auto& unit : units_) view_.phase.push_back(unit.state());
  for (const auto& unit : units_) view_.written.push_back(unit.neuron());
  for (std::int32_t place = 0; place < mesh_.places(); ++place)
    for (std::int32_t port = 0; port < ports; ++port)
      view_.queues.push_back(mesh_.input(place, port).count());
}

CycleRow TokenClock::row() const {
  CycleRow row = row_;
  row.stalls = {waited_, mesh_.blocked(), mesh_.outvoted()};
  for (std::int32_t place = 0; place < mesh_.places(); ++place)
    for (std::int32_t port = 0; port < ports; ++port)
      row.high_water.push_back(mesh_.input(place, port).most());
  row.counters = {packets_, hops_, late_, lost_, lost_ticks_};
  return row;
}

std::string TokenClock::save() const {
  const bool working =
      std::any_of(units_.begin(), units_.end(), [](const auto& unit) { return unit.busy(); });
  if (working || !mesh_.idle() || arrivals_wait())
    throw EmulationError("chip state", "cannot be taken while cores or packets are still under way");
  std::string bytes;
  put_vector(bytes, mesh_.last_granted());
  put(bytes, &tick_, 1);
  return bytes;
}

void TokenClock::restore(const std::string& state) {
  std::vector<std::int32_t> granted;
  std::int64_t tick = 0;
  std::size_t at = 0;
  get_vector(state, at, granted);
  get(state, at, &tick, 1);
  const bool outside =
      std::any_of(granted.begin(), granted.end(), [](auto port) { return port < 0 || port >= ports; });
  if (at != state.size() || tick < -1 || outside || granted.size() != mesh_.last_granted().size())
    damaged_state();
  start_from(tick);
  mesh_.last_granted() = std::move(granted);
}

std::unique_ptr<Clock> Token::start() const {
  return std::make_unique<TokenClock>(*this);
}

}  // namespace

std::unique_ptr<Controller> make_token(const Program& program) {
  return std::make_unique<Token>(program);
}

}  // namespace spikeloom
