// dpi_step: one step of the subthreshold differential-pair neuron of DYNAP-SE2, line by line as the docstring
// of the operation says. Here is its makers' step, `euler`; dpi_exponential.cpp has the other.
#include "soma/operations/dpi_step.hpp"

#include "soma/operations/all.hpp"

namespace spikeloom {
namespace {

using namespace dpi;

struct Neuron {
  double imem, exc, inh, ahp, fired;
};

// A synapse or adaptation current that decays, and is charged toward `level` during a pulse.
SPIKELOOM_INLINE double charged(double current, double level, double pulse, double step, double tau) {
  return current * exp_of(-(step / tau)) + (1.0 - exp_of(-(pulse / tau))) * level;
}

struct DpiStep {
  SPIKELOOM_INLINE static void run(Neuron* neurons, const double* const* p, int count) {
    for (int i = 0; i < count; ++i) {
      Neuron& n = neurons[i];
      const double thermal = p[ut][i] / p[kappa][i], floor = p[i0][i], step = p[dt][i];
      const double tau_exc = thermal * p[c_exc][i] / p[itau_exc][i];
      const double tau_inh = thermal * p[c_inh][i] / p[itau_inh][i];
      const double tau_ahp = thermal * p[c_ahp][i] / p[itau_ahp][i];
      const double exc = at_least(p[igain_exc][i] / p[itau_exc][i] * p[in_exc][i], floor);
      const double inh = at_least(p[igain_inh][i] / p[itau_inh][i] * p[in_inh][i], floor);
      n.exc = charged(n.exc, exc, p[t_pulse][i], step, tau_exc);
      n.inh = charged(n.inh, inh, p[t_pulse][i], step, tau_inh);
      const double ahp = p[igain_ahp][i] / p[itau_ahp][i] * p[iw_ahp][i] * n.fired;
      n.ahp = at_least(charged(n.ahp, ahp, p[t_pulse_ahp][i], step, tau_ahp), floor);
      n.fired = 0.0;
      const double leak = p[itau_mem][i] + n.ahp;
      const double free = p[refractory][i] == 0.0 ? 1.0 : 0.0;
      const double in = at_least((n.exc - n.inh - leak + p[idc][i]) * free, floor);
      const double rest = p[igain_mem][i] / p[itau_mem][i] * (in - leak);
      const double v = thermal * log_of(n.imem / floor);
      const double back = floor * exp_of(p[kappa][i] * p[kappa][i] / (p[kappa][i] + 1.0) * v / p[ut][i]);
      const double above = n.imem + p[igain_mem][i];
      const double f = back / leak * above;
      const double tau = thermal * p[c_mem][i] / leak;
      const double slope = rest + f - n.imem * (1.0 + n.ahp / p[itau_mem][i]);
      n.imem = at_least(n.imem + step * n.imem / (tau * above) * slope, floor);
    }
  }
};

class Dpi final : public Operation<double> {
 public:
  explicit Dpi(Binder<double>& binder) : acting(binder) {}
  Acting acting;
  Places places;
  void (*step)(Neuron*, const double* const*, int);

  void run(const Block<double>& block) const override {
    Neuron neurons[block_size];
    for (int i = 0; i < block.count; ++i)
      neurons[i] = {state(block, 0)[i], state(block, 1)[i], state(block, 2)[i], state(block, 3)[i],
                    state(block, 4)[i]};
    const Operands p = places.load(block);
    step(neurons, p.data(), block.count);
    const std::int32_t* where = acting.where(block);
    double* out = block.scratch->as<double>(out_slot);
    for (std::size_t k = 0; k < places.targets.size(); ++k) {
      for (int i = 0; i < block.count; ++i)
        out[i] =
            std::array{neurons[i].imem, neurons[i].exc, neurons[i].inh, neurons[i].ahp, neurons[i].fired}[k];
      block.commit(places.targets[k], static_cast<const double*>(out), where);
    }
  }

 private:
  const double* state(const Block<double>& block, std::size_t k) const {
    return block.reg(places.targets[k].element);
  }
};

}  // namespace

std::unique_ptr<Operation<double>> make_dpi_step(Binder<double>& binder) {
  if (binder.text("integrator") == "exponential") return make_dpi_exponential(binder);
  auto operation = std::make_unique<Dpi>(binder);
  operation->places = Places(binder);
  operation->step = kernel<DpiStep>(binder.level());
  return operation;
}

}  // namespace spikeloom
