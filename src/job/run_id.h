// Run ids: "NAME.N.HEX8", unique over all runs of all jobs; the hexadecimal nonce tells two jobs apart that had the
// same name.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace usvc {

struct RunId {
  std::string name;          // may hold dots itself
  std::uint64_t number = 0;  // counts the job's runs from 1
  std::uint32_t nonce = 0;

  friend bool operator==(const RunId&, const RunId&) = default;
};

std::string make_run_id(std::string_view name, std::uint64_t number, std::uint32_t nonce);
Result<RunId> parse_run_id(std::string_view text);

}  // namespace usvc
