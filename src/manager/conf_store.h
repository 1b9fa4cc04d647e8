// The conf and environment files of jobs on disk.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "job/conf.h"
#include "job/layout.h"

namespace usvc {

// What a job's name says of its group: "web" of "web-2".
std::string group_of_name(const std::string& name);
// What a conf does not say and its job's name does: name, group, directory, log.
void fill_in(Conf& conf, const Layout& layout, const std::string& name);
struct LoadedConf {
  Conf conf;
  // It includes no other file and looks for no program, whose changes its own stamp would not tell.
  bool stamp_tells_all = true;
};
// The conf of job `name`, checked and filled in.
Result<LoadedConf> load_conf(const Layout& layout, const std::string& name);
// What its cmd means, by the job's environment: the absolute path of a program that can be run, or why there is none.
Result<std::string> find_program(const Layout& layout, const Conf& conf, const std::string& name);
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
