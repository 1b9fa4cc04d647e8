// The card: everything a child needs to become the program, laid out in shared memory so that the child, between fork
// and exec, neither allocates nor parses. The manager writes it; the keeper only hands it through.
#pragma once

#include <sys/resource.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/fd.h"

namespace usvc::keeper {

struct Limit {
  int resource = 0;  // RLIMIT_*
  rlim_t soft = 0;
  rlim_t hard = 0;
};

struct CardSpec {
  std::string path;
  std::vector<std::string> argv;  // argv[0] included, at least that
  std::vector<std::string> env;   // "K=V"
  std::string cwd;
  std::optional<int> umask;
  std::optional<int> nice;
  std::vector<Limit> limits;
  bool terminal = false;   // stdin is to be the controlling terminal
  bool subreaper = false;  // the program becomes the parent of its own orphans
};

// A memory file that holds the card.
Result<Fd> make_card(const CardSpec& spec);

// The child's side. Offsets are from the card's start, strings end in NUL; argv and env are arrays of offsets that
// relocate() turns into pointers in place, each ended by a null.
struct CardHeader {
  std::uint32_t tag = 0;
  std::uint32_t version = 0;
  std::uint64_t size = 0;
  std::uint64_t path = 0;
  std::uint64_t cwd = 0;
  std::uint64_t shell = 0;  // "/bin/sh", for a script without a #! line
  std::uint64_t argv = 0;   // one spare slot stands before argv[0]
  std::uint64_t argc = 0;
  std::uint64_t env = 0;
  std::uint64_t envc = 0;
  std::uint64_t limits = 0;
  std::uint64_t limit_count = 0;
  std::int32_t umask = -1;  // -1: as it is
  std::int32_t nice = 0;
  std::uint32_t set_nice = 0;
  std::uint32_t terminal = 0;
  std::uint32_t subreaper = 0;
};

inline constexpr std::uint32_t card_tag = 0x63617264;
inline constexpr std::uint32_t card_version = 1;

// Checks every offset of a copy-on-write mapping and relocates it. Async-signal-safe. False: not a sound card.
bool relocate(std::span<std::byte> card);

}  // namespace usvc::keeper
