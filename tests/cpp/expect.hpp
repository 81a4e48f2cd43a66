// Expectations without a framework: the first that fails prints where and what, and ends the program.
#pragma once

#include <cstdlib>
#include <iostream>
#include <string>

#include "base/error.hpp"
#include "base/level.hpp"

#define EXPECT(condition) \
  ((condition) ? void() : expect_failed(__FILE__, __LINE__, #condition, std::string()))
#define EXPECT_EQ(got, wanted) expect_equal(__FILE__, __LINE__, #got, (got), (wanted))
// The statement throws `type`, and its line names `text`.
#define EXPECT_THROWS(type, text, statement)                                \
  do {                                                                      \
    std::string line = "nothing";                                           \
    try {                                                                   \
      statement;                                                            \
    } catch (const type& error) {                                           \
      line = error.what();                                                  \
    }                                                                       \
    if (line.find(text) == std::string::npos)                               \
      expect_failed(__FILE__, __LINE__, #statement " throws " #type, line); \
  } while (false)

[[noreturn]] inline void expect_failed(const char* file, int line, const char* what, const std::string& got) {
  std::cerr << file << ":" << line << ": not so: " << what;
  if (!got.empty()) std::cerr << "; got " << got;
  std::cerr << std::endl;
  std::exit(1);
}

template <class Got, class Wanted>
void expect_equal(const char* file, int line, const char* what, const Got& got, const Wanted& wanted) {
  if (got == wanted) return;
  std::cerr << file << ":" << line << ": " << what << " is " << got << ", should be " << wanted << std::endl;
  std::exit(1);
}

// Ends with "skipped" where the processor cannot run the kernels that the environment asks for.
inline void skip_unless_level_runs() {
  try {
    spikeloom::active_level();
  } catch (const spikeloom::EmulationError& error) {
    std::cerr << error.what() << std::endl;
    std::exit(77);
  }
}
