// What the tests of other programs' sets share: a place where every program lies in /bin and every file is named here.
#pragma once

#include <gtest/gtest.h>

#include <cerrno>
#include <map>
#include <string>
#include <vector>

#include "foreign/foreign.h"

namespace usvc::foreign {

inline Surroundings somewhere(std::string file, std::map<std::string, std::string> files = {}) {
  Surroundings around;
  around.file = std::move(file);
  around.directory = "/srv/app";
  around.env = {"PATH=/bin", "HOME=/home/me", "STAGE=test"};
  around.user = "me";
  around.host = "box";
  around.cores = 4;
  around.read = [files](const std::string& path) -> Result<std::string> {
    const auto found = files.find(path);
    if (found == files.end()) return fail(Error::from_errno(ENOENT, path));
    return found->second;
  };
  around.find = [](std::string_view word, const std::string& cwd, const std::string&) -> Result<std::string> {
    if (word.find("missing") != std::string_view::npos || word.ends_with("/npm")) return fail("command not found");
    if (word.starts_with('/')) return std::string(word);
    if (word.starts_with("./")) return cwd + std::string(word.substr(1));
    return "/bin/" + std::string(word);
  };
  return around;
}

inline Imported imported(Format format, std::string_view text, const Surroundings& around) {
  auto result = import_set(format, text, around);
  EXPECT_TRUE(result) << result.error().message();
  return result.value_or(Imported{});
}

inline std::string import_error(Format format, std::string_view text, const Surroundings& around) {
  auto result = import_set(format, text, around);
  return result ? "" : result.error().message();
}

// "cmd arg arg", the words parted by a |.
inline std::string run_by(const Job& job) {
  std::string text;
  for (const auto& entry : job.entries) {
    if (entry.key == "cmd" || entry.key == "arg") text += (text.empty() ? "" : "|") + entry.value;
  }
  return text;
}

inline std::string value_of(const Job& job, std::string_view key) {
  for (const auto& entry : job.entries) {
    if (entry.key == key) return entry.value;
  }
  return {};
}

inline std::string variable_of(const Job& job, const std::string& name) {
  for (const auto& assignment : job.env) {
    if (assignment.starts_with(name + "=")) return assignment.substr(name.size() + 1);
  }
  return {};
}

inline std::vector<std::string> names_of(const Imported& set) {
  std::vector<std::string> names;
  for (const auto& job : set.jobs) names.push_back(job.group + "/" + job.name);
  return names;
}

// Whether something is said that begins with `beginning`, "FILE:LINE: JOB: KEY:".
inline bool told(const Imported& set, std::string_view beginning) {
  for (const auto& remark : set.remarks) {
    if (remark.text.starts_with(beginning)) return true;
  }
  return false;
}

inline std::string remarks_of(const Imported& set) {
  std::string text;
  for (const auto& remark : set.remarks) text += remark.text + "\n";
  return text;
}

}  // namespace usvc::foreign
