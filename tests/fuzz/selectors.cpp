// The words that choose jobs: what they choose is there, once, in order, and chosen by one of them.
#include <algorithm>
#include <vector>

#include "base/text.h"
#include "fuzz.h"
#include "job/selector.h"

namespace {

using namespace usvc;
using fuzz::must;

// * and ? by the book, over the table of all pairs of positions.
bool matches_by_table(std::string_view pattern, std::string_view text) {
  std::vector<char> row(text.size() + 1, 0);
  row[0] = 1;
  for (const char p : pattern) {
    std::vector<char> next(text.size() + 1, 0);
    next[0] = static_cast<char>(p == '*' && row[0] != 0);
    for (std::size_t i = 1; i <= text.size(); ++i) {
      const bool here = p == '*' ? row[i] != 0 || next[i - 1] != 0 : row[i - 1] != 0 && (p == '?' || p == text[i - 1]);
      next[i] = static_cast<char>(here);
    }
    row = std::move(next);
  }
  return row[text.size()] != 0;
}

std::string escaped(std::string_view text) {
  std::string pattern;
  for (const char c : text) pattern += {'\\', c};
  return pattern;
}

void check_glob(std::string_view pattern, std::string_view text) {
  const bool matched = glob_match(pattern, text);
  if (pattern.find_first_of("[\\") == std::string_view::npos) {
    must(matched == matches_by_table(pattern, text), "a pattern means what it says", pattern);
  }
  must(glob_match(escaped(text), text), "an escaped text matches itself", text);
  must(glob_match("*" + escaped(text) + "*", std::string(text) + "x"), "and with something behind it", text);
  must(!glob_match(escaped(text) + "?", text), "and nothing shorter", text);
}

std::vector<JobRef> jobs_of(std::string_view text) {
  std::vector<JobRef> jobs;
  for (const auto line : split(text, '\n')) {
    const auto words = split(line, ' ');
    JobRef job;
    job.name = words[0];
    job.group = words.size() > 1 ? words[1] : words[0];
    job.state = all_job_states.at(line.size() % all_job_states.size());
    job.live = words.size() > 2;
    job.has_conf = words.size() < 4;
    jobs.push_back(job);
  }
  return jobs;
}

bool chosen(const std::vector<std::string>& words, const JobRef& job) {
  return std::ranges::any_of(words, [&](const std::string& word) { return Selector::parse(word)->matches(job); });
}

}  // namespace

// A line of words, then one job a line: NAME GROUP [live [without conf]].
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  const auto newline = text.find('\n');
  const std::string_view head = text.substr(0, newline);
  const auto jobs = jobs_of(newline == std::string_view::npos ? "" : text.substr(newline + 1));
  std::vector<std::string> words;
  for (const auto word : split(head, ' ')) words.emplace_back(word);
  if (size < 600) check_glob(head, jobs[0].name);

  const auto names = select(words, jobs);
  if (!names) {
    must(names.error().kind() == ErrorKind::usage || names.error().kind() == ErrorKind::no_match,
         "it is the caller's fault");
    fuzz::must_be_one_line(names.error());
    return 0;
  }
  must(std::ranges::is_sorted(*names, natural_less), "names are in order");
  must(std::ranges::adjacent_find(*names) == names->end(), "each name is there once");
  for (const JobRef& job : jobs) {
    const bool listed = std::ranges::find(*names, job.name) != names->end();
    if (chosen(words, job)) must(listed, "what a word matches is listed", job.name);
  }
  for (const auto& name : *names) {
    must(std::ranges::any_of(jobs, [&](const JobRef& job) { return job.name == name && chosen(words, job); }),
         "what is listed is matched by a word", name);
  }
  return 0;
}
