#include "base/error.hpp"

namespace spikeloom {
namespace {

struct AsText {
  std::string operator()(std::monostate) const { return ""; }
  std::string operator()(std::int64_t number) const { return std::to_string(number); }
  std::string operator()(double number) const { return std::to_string(number); }
  std::string operator()(const std::string& text) const { return text; }
};

std::string one_line(const std::string& subject, const std::string& problem, const Facts& facts) {
  std::string line = subject + ": " + problem;
  const std::string value = std::visit(AsText{}, facts.value);
  const std::string limit = std::visit(AsText{}, facts.limit);
  if (!value.empty()) line += "; got " + value;
  if (!limit.empty()) line += (value.empty() ? "; limit " : ", limit ") + limit;
  if (!facts.remedy.empty()) line += "; " + facts.remedy;
  return line;
}

}  // namespace

Error::Error(std::string what_is_wrong, std::string how, Facts data)
    : subject(std::move(what_is_wrong)),
      problem(std::move(how)),
      facts(std::move(data)),
      line_(one_line(subject, problem, facts)) {}

}  // namespace spikeloom
