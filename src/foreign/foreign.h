// Sets of jobs as other programs write them down, taken over and written out. Pure: what else has to be looked up is
// asked of the caller.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "job/conf.h"

namespace usvc::foreign {

// In the order of `format_names`, which with a set of usvc's own are `origin_names`.
enum class Format : std::uint8_t { procfile, supervisord, pm2, compose };
inline constexpr std::string_view origin_names = "usvc|procfile|supervisord|pm2|compose";
inline constexpr std::string_view format_names = origin_names.substr(origin_names.find('|') + 1);
std::optional<Format> format_named(std::string_view name);

// By the file's name and what is in it; nothing: a set of usvc's own. A file that can't be read as it is (JavaScript)
// is an error that says how to make one that can.
Result<std::optional<Format>> recognise(const std::string& file, std::string_view text);

// What a file is read in the light of.
struct Surroundings {
  std::string file;              // as messages name it
  std::string directory;         // the absolute one it lies in; relative paths begin there
  std::vector<std::string> env;  // "K=V", the caller's
  std::string user;
  std::string host;
  int cores = 1;
  // Another file's text.
  std::function<Result<std::string>(const std::string& path)> read;
  // The absolute path of a program, looked for from `cwd` and in `path` (the variable PATH).
  std::function<Result<std::string>(std::string_view word, const std::string& cwd, const std::string& path)> find;
};

struct Job {
  std::string name;
  std::string group;
  std::vector<ConfEntry> entries;  // all checked
  std::vector<std::string> env;    // "K=V", besides and before what the caller has
  bool start = true;
};

// Something that the file says and usvc does not do, and what it does instead.
struct Remark {
  std::string text;       // "FILE:LINE: JOB: KEY: what"
  bool left_out = false;  // the whole job is missing
};

struct Imported {
  std::vector<Job> jobs;
  std::vector<Remark> remarks;
};

// Errors read "FILE:LINE: what is wrong".
Result<Imported> import_set(Format format, std::string_view text, const Surroundings& surroundings);

// The jobs as `usvc save` would have written them.
std::string set_text(const std::vector<Job>& jobs);

}  // namespace usvc::foreign
