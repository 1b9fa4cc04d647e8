// What the fuzz targets share.
#pragma once

#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/files.h"

namespace usvc::fuzz {

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// A promise that the input broke ends the run like a crash, and libFuzzer keeps the input.
inline void must(bool holds, std::string_view promise, std::string_view detail = {}) {
  if (holds) return;
  std::fprintf(stderr, "broken promise: %.*s\n%.*s\n", static_cast<int>(promise.size()), promise.data(),
               static_cast<int>(detail.size()), detail.data());
  std::abort();
}

// Errors are shown on one line; what a user or a file put into them must not break it.
inline void must_be_one_line(const Error& error) {
  const std::string message = error.message();
  must(!message.empty(), "an error says something");
  for (const char c : message) {
    must(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f, "an error's message is one line of text", message);
  }
}

// A directory of this process's own, in memory where there is such a place; goes with the process.
class Scratch {
 public:
  Scratch() {
    path_ = ::access("/dev/shm", W_OK) == 0 ? "/dev/shm/usvc-fuzz-XXXXXX" : "/tmp/usvc-fuzz-XXXXXX";
    must(::mkdtemp(path_.data()) != nullptr, "a scratch directory can be made");
  }
  ~Scratch() { (void)remove_all(path_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace usvc::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
