#include "base/normals.hpp"
#include "bindings/convert.hpp"

namespace spikeloom::bindings {
namespace {

using RealArray = py::array_t<double, py::array::c_style | py::array::forcecast>;
using WordArray = py::array_t<std::uint32_t, py::array::c_style>;

struct EachExp {
  SPIKELOOM_INLINE static void run(double* out, const double* x, std::int64_t count) {
    SPIKELOOM_INDEPENDENT
    for (std::int64_t i = 0; i < count; ++i) out[i] = exp_of(x[i]);
  }
};

struct EachLog {
  SPIKELOOM_INLINE static void run(double* out, const double* x, std::int64_t count) {
    SPIKELOOM_INDEPENDENT
    for (std::int64_t i = 0; i < count; ++i) out[i] = log_of(x[i]);
  }
};

template <class Kernel>
py::array_t<double> each(const RealArray& x) {
  py::array_t<double> out(std::vector<py::ssize_t>(x.shape(), x.shape() + x.ndim()));
  kernel<Kernel>(active_level())(out.mutable_data(), x.data(), x.size());
  return out;
}

py::array_t<double> normal(const WordArray& words) {
  py::array_t<double> out(std::vector<py::ssize_t>(words.shape(), words.shape() + words.ndim()));
  kernel<ToNormals>(active_level())(out.mutable_data(), words.data(), static_cast<int>(words.size()));
  return out;
}

WordArray words(const PhiloxKey& key, const std::array<std::uint32_t, 3>& counter, int count) {
  WordArray out(count);
  FillWords::run(out.mutable_data(), 0, count, {key, counter[0], counter[1], counter[2]});
  return out;
}

}  // namespace

void bind_elementary(py::module_& module) {
  module.def("exp", &each<EachExp>, py::arg("x"), "e^x, the same bits on every machine; x in [-708, 709].");
  module.def("log", &each<EachLog>, py::arg("x"), "ln x, the same bits on every machine; x > 0.");
  module.def("normal", &normal, py::arg("words"), "The normal number of each random word, up to 6.3 sigma.");
  module.def("words", &words, py::arg("key"), py::arg("counter"), py::arg("count"),
             "Words of Philox for the indices 0 to count - 1: word index & 3 of the counter\n"
             "(index >> 2, *counter).");
}

}  // namespace spikeloom::bindings
