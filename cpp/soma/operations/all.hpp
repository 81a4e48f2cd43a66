// One binding function an operation; digital is int32, analog is double.
#pragma once

#include <memory>

#include "soma/operation.hpp"

namespace spikeloom {

template <class S>
std::unique_ptr<Operation<S>> make_sum(Binder<S>& binder);
std::unique_ptr<Operation<std::int32_t>> make_decay_mul(Binder<std::int32_t>& binder);
std::unique_ptr<Operation<std::int32_t>> make_decay_shift(Binder<std::int32_t>& binder);
template <class S>
std::unique_ptr<Operation<S>> make_decay_sub(Binder<S>& binder);
template <class S>
std::unique_ptr<Operation<S>> make_leak_signed(Binder<S>& binder);
template <class S>
std::unique_ptr<Operation<S>> make_clip(Binder<S>& binder);
template <class S>
std::unique_ptr<Operation<S>> make_clear(Binder<S>& binder);
template <class S>
std::unique_ptr<Operation<S>> make_hold_zero(Binder<S>& binder);
template <class S>
std::unique_ptr<Operation<S>> make_count_down(Binder<S>& binder);
template <class S>
std::unique_ptr<Operation<S>> make_fire(Binder<S>& binder);
template <class S>
std::unique_ptr<Operation<S>> make_fire2(Binder<S>& binder);
template <class S>
std::unique_ptr<Operation<S>> make_multi_fire(Binder<S>& binder);
std::unique_ptr<Operation<std::int32_t>> make_alias(Binder<std::int32_t>& binder);
std::unique_ptr<Operation<double>> make_linear_exact(Binder<double>& binder);
std::unique_ptr<Operation<double>> make_linear_step(Binder<double>& binder);
std::unique_ptr<Operation<double>> make_exp_euler(Binder<double>& binder);
std::unique_ptr<Operation<double>> make_exp_drive(Binder<double>& binder);
std::unique_ptr<Operation<double>> make_add_noise(Binder<double>& binder);
std::unique_ptr<Operation<double>> make_adc(Binder<double>& binder);
std::unique_ptr<Operation<double>> make_dac(Binder<double>& binder);
std::unique_ptr<Operation<double>> make_mac(Binder<double>& binder);
std::unique_ptr<Operation<double>> make_dpi_step(Binder<double>& binder);
std::unique_ptr<Operation<double>> make_adex_step(Binder<double>& binder);

}  // namespace spikeloom
