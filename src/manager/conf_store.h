// The conf and environment files of jobs on disk.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <future>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "job/conf.h"
#include "job/layout.h"

namespace usvc {

// What a job's name says of its group: "web" of "web-2".
std::string group_of_name(const std::string& name);
// What a conf does not say and its job's name does: name, group, directory, log.
void fill_in(Conf& conf, const Layout& layout, const std::string& name);
struct LoadedConf {
  Conf conf;
  bool in_one_file = true;  // it includes no other, whose changes its own stamp would not tell
};
// The conf of job `name`, checked and filled in.
Result<LoadedConf> load_conf(const Layout& layout, const std::string& name);
// One that was read, and the file's stamp from before that.
struct FoundConf {
  FileStamp stamp;
  bool settled = false;  // since then it can't have been changed without another stamp
  Result<LoadedConf> conf;
};
FoundConf find_conf(const Layout& layout, const std::string& name);
using FoundConfs = std::map<std::string, FoundConf, std::less<>>;  // by the job's name
// Reads those of all jobs, in a thread of its own as long as the caller does something else.
class ConfsAhead {
 public:
  explicit ConfsAhead(const Layout& layout);
  // Helps with what is left, and waits for the rest.
  FoundConfs take();

 private:
  void read();

  const Layout* layout_;
  std::vector<std::string> names_;
  std::vector<std::optional<FoundConf>> found_;
  std::atomic<std::size_t> next_ = 0;
  std::future<void> reader_;
};
// The job that a file in the confs' directory is of; nothing: it is no conf.
std::optional<std::string> job_of_conf(std::string_view file);
// What its cmd means in the job's environment: the absolute path of a program that can be run, or why there is none.
Result<std::string> find_program(const Conf& conf, const std::vector<std::string>& env);
// As the file has it.
Result<std::vector<ConfEntry>> load_conf_entries(const Layout& layout, const std::string& name);
// Not flushed to the disk: the caller does that for many at once (Instance::sync_soon).
Status save_conf(const Layout& layout, const Conf& conf);
// Checks the value and the conf it would give before the file is touched. An empty text where that is no value of the
// key removes the key: then its default is in force.
Status set_conf(const Layout& layout, const std::string& name, const std::string& key, const std::string& value);

// "K=V" each; an environment that was never captured is empty.
Result<std::vector<std::string>> load_environment(const Layout& layout, const std::string& name);
// Of it, what was asked for with the job: what comes after an empty entry, where there is one.
Result<std::vector<std::string>> load_own_environment(const Layout& layout, const std::string& name);
// As StartRequest has it.
Status save_environment(const Layout& layout, const std::string& name, const std::vector<std::string>& env);

}  // namespace usvc
