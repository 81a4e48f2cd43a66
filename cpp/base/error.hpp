// Errors that carry their data. Each arrives in Python as the class of the same name in spikeloom.errors.
#pragma once

#include <cstdint>
#include <exception>
#include <string>
#include <utility>
#include <variant>

namespace spikeloom {

using Datum = std::variant<std::monostate, std::int64_t, double, std::string>;

// What was found, what is allowed, and what to do about it; each may be absent.
struct Facts {
  Datum value{};
  Datum limit{};
  std::string remedy{};
};

class Error : public std::exception {
 public:
  Error(std::string subject, std::string problem, Facts facts = {});
  const char* what() const noexcept override { return line_.c_str(); }

  std::string subject;  // what is wrong, by the name its user gave it
  std::string problem;  // what is wrong with it
  Facts facts;

 private:
  std::string line_;  // the whole error in one line
};

class ProfileError final : public Error {
  using Error::Error;
};
class ProgramError final : public Error {
  using Error::Error;
};
class EmulationError final : public Error {
  using Error::Error;
};
class FitError final : public Error {
  using Error::Error;
};

}  // namespace spikeloom
