#include <string>
#include <vector>

#include "base/text.h"
#include "base/time.h"
#include "cli/command.h"
#include "cli/json_out.h"
#include "cli/log_options.h"
#include "cli/log_view.h"
#include "cli/remote.h"
#include "job/run_id.h"
#include "log/files.h"
#include "log/source.h"

namespace usvc::command {

namespace {

// What stderr has of its own comes first, so that the live log is the last.
Result<std::vector<std::string>> paths_of(const Context& context, const JobView& job) {
  std::vector<std::string> paths;
  if (job.error_log) {
    auto errors = log_files(context.layout, *job.error_log);
    if (!errors) return pass(errors);
    for (const auto& file : *errors) {
      auto there = identity_of(file.path);
      if (there && *there) paths.push_back(file.path);
    }
  }
  auto files = log_files(context.layout, job.log);
  if (!files) return pass(files);
  for (const auto& file : *files) paths.push_back(file.path);
  return paths;
}

Status print_paths(const Context& context, const std::vector<JobView>& jobs) {
  std::vector<std::string> all;
  std::string text;
  for (const auto& job : jobs) {
    auto paths = paths_of(context, job);
    if (!paths) return pass(paths, "cannot find the log of " + job.name);
    for (auto& path : *paths) {
      text += path + "\n";
      all.push_back(std::move(path));
    }
  }
  return context.json ? print_json(all) : print(text);
}

std::optional<RunChoice> run_choice(const LogOptions& options) {
  if (options.run_id) return RunChoice{static_cast<std::int64_t>(options.run_id->number), options.run_id->nonce};
  if (!options.run) return std::nullopt;
  return RunChoice{*options.run, {}};
}

// The job of one run, whatever else the words select.
Result<std::vector<JobView>> job_of_run(const Context& context, const RunId& id,
                                        const std::vector<std::string>& words) {
  auto jobs = look_at(context, words);
  if (!jobs) return jobs;
  std::erase_if(*jobs, [&](const JobView& job) { return job.name != id.name; });
  if (jobs->empty()) return fail("there is no job " + id.name, ErrorKind::no_match);
  return jobs;
}

// Of those that are followed none need be there yet.
Result<std::vector<JobView>> chosen_jobs(const Context& context, const LogOptions& options,
                                         const std::vector<std::string>& words) {
  auto jobs = options.run_id ? job_of_run(context, *options.run_id, words) : look_at(context, words);
  const bool may_come = options.follow && !options.run_id && !options.run;
  if (jobs || !may_come || jobs.error().kind() != ErrorKind::no_match) return jobs;
  complain(jobs.error().message() + "; waiting for one to be started (Ctrl-C ends)");
  return std::vector<JobView>();
}

}  // namespace

std::vector<Flag> log_flags() {
  return log_option_flags();
}

Result<int> log(const Invocation& invocation) {
  const Context& context = invocation.context;
  auto options = parse_log_options(invocation.arguments, invocation.called_as == "tail", unix_now());
  if (!options) return pass(options);
  std::vector<std::string> words = invocation.arguments.words;
  if (options->run_id && words.empty()) {
    words = {options->run_id->name};
  } else if (auto status = need_selectors(invocation, "log"); !status) {
    return pass(status);
  }
  auto jobs = chosen_jobs(context, *options, words);
  if (!jobs) return pass(jobs);
  if (options->path) {
    if (auto status = print_paths(context, *jobs); !status) return pass(status);
    return 0;
  }
  LogView view(context, *options, std::move(words));
  if (auto status = view.add_jobs(*jobs, run_choice(*options)); !status) return pass(status);
  if (auto status = options->follow ? view.follow() : view.show(); !status) return pass(status);
  return view.left_out() ? 1 : 0;
}

Result<int> logchunk(const Invocation& invocation) {
  const Context& context = invocation.context;
  const auto& words = invocation.arguments.words;
  if (words.size() != 1) {
    return fail(Error("logchunk needs one RUN-ID", ErrorKind::usage).hint("usvc --json events shows them"));
  }
  auto id = parse_run_id(words.front());
  if (!id) return pass(id);
  auto jobs = job_of_run(context, *id, {id->name});
  if (!jobs) return pass(jobs);
  LogOptions options;
  options.raw = !context.json;
  LogView view(context, options, {id->name});
  auto status = view.add_jobs(*jobs, RunChoice{static_cast<std::int64_t>(id->number), id->nonce});
  if (!status) return fail("nothing of run " + words.front() + " is in the log of " + id->name);
  if (status = view.show(); !status) return pass(status);
  return view.left_out() ? 1 : 0;
}

}  // namespace usvc::command
