// The set of jobs written out for other programs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "foreign/foreign.h"
#include "job/conf.h"

namespace usvc::foreign {

// In the order of `target_names`.
enum class Target : std::uint8_t { procfile, systemd, compose };
inline constexpr std::string_view target_names = "procfile|systemd|compose";
std::optional<Target> target_named(std::string_view name);

struct Saved {
  Conf conf;                     // with name and group
  std::vector<std::string> env;  // "K=V", besides what whoever starts it has
  bool wanted = true;
};

struct File {
  std::string name;
  std::string text;
};

struct Exported {
  std::vector<File> files;  // for systemd one a job, else one
  std::vector<Remark> remarks;
};

// `directory` is the one the file is to lie in.
Exported export_set(Target target, const std::vector<Saved>& set, const std::string& directory);
// All in one, each after a line "# NAME" where there are several to be told apart.
std::string one_text(const std::vector<File>& files);

}  // namespace usvc::foreign
