// Sets of jobs of other programs, as anybody may have written them: an error on one line, or jobs whose every value is
// one of usvc's, and remarks on one line each.
#include "foreign/foreign.h"

#include <algorithm>
#include <set>

#include "fuzz.h"
#include "job/names.h"
#include "job/options.h"

namespace {

using namespace usvc;
using fuzz::must;

foreign::Surroundings somewhere(std::string_view beside) {
  foreign::Surroundings around;
  around.file = "file";
  around.directory = "/srv";
  around.env = {"PATH=/bin", "HOME=/home/me"};
  around.cores = 2;
  around.read = [text = std::string(beside)](const std::string&) -> Result<std::string> { return text; };
  around.find = [](std::string_view word, const std::string&, const std::string&) -> Result<std::string> {
    if (word.empty() || word.find('\0') != std::string_view::npos) return fail("command not found");
    return "/bin/" + std::string(word);
  };
  return around;
}

void must_be_jobs(const foreign::Imported& set) {
  std::set<std::string> names;
  for (const auto& job : set.jobs) {
    must(check_job_name(job.name).has_value(), "a job's name is one", job.name);
    must(check_group_name(job.group).has_value(), "a group's name is one", job.group);
    must(names.insert(job.name).second, "a name is given once", job.name);
    for (const auto& entry : job.entries) {
      const Option* option = find_option(entry.key);
      must(option != nullptr && check_value(*option, entry.value).has_value(), "a value is one of its key",
           entry.value);
    }
    must(conf_from_entries(job.entries).has_value(), "the entries are a conf");
  }
  for (const auto& remark : set.remarks) fuzz::must_be_one_line(Error(remark.text));
}

}  // namespace

// The format's number, then the file up to a NUL byte; behind it the .env beside it.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view all = fuzz::text_of(data, size);
  if (all.empty()) return 0;
  const auto format = static_cast<foreign::Format>((all.front() - '0') & 3);
  const std::string_view text = all.substr(1, all.find('\0', 1) - 1);
  const auto around = somewhere(all.substr(std::min(1 + text.size() + 1, all.size())));
  (void)foreign::recognise("file", text);
  const auto set = foreign::import_set(format, text, around);
  if (!set) {
    fuzz::must_be_one_line(set.error());
    return 0;
  }
  must_be_jobs(*set);
  (void)foreign::set_text(set->jobs);
  return 0;
}
