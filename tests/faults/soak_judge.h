// Compares what the soak's jobs say they did with what usvc tells of it.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace usvc::test {

struct SoakFacts {
  std::string directory;                        // with ledger, counts/, two-copies
  std::string home;                             // USVC_HOME
  std::string events;                           // what `usvc --json events` printed
  std::vector<std::pair<double, double>> gaps;  // in which both were dead: output not yet read is lost by design
  std::set<std::int64_t> killed;                // pids of jobs the soak killed
  std::set<std::string> endless;                // jobs that never end by themselves
};

struct SoakFigures {
  std::uint64_t runs = 0;
  std::uint64_t lines = 0;
  std::uint64_t exits = 0;
  std::uint64_t lost_lines = 0;
  std::uint64_t doubled_lines = 0;
  std::uint64_t lost_exits = 0;
  std::uint64_t doubled_exits = 0;
  std::uint64_t wrong_exits = 0;    // told otherwise than they were
  std::uint64_t unknown_exits = 0;  // told without how, outside of the gaps
  std::uint64_t unexplained = 0;    // an endless job ended and nobody had asked for it
  std::uint64_t two_copies = 0;
  std::uint64_t not_counted = 0;  // runs that lived in a gap
  std::vector<std::string> findings;
};

SoakFigures judge(const SoakFacts& facts);

}  // namespace usvc::test
