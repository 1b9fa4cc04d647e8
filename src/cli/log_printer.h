// Puts lines of logs, and usvc's own remarks between them, into the form that the caller is to see.
#pragma once

#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

#include "cli/context.h"
#include "cli/log_stream.h"

namespace usvc {

enum class OutputStream : std::uint8_t { standard, error };

struct LogStyle {
  bool names = false;       // the job's name before each line
  bool timestamps = false;  // before that, when it came
  bool raw = false;         // neither, and nothing is made harmless
};

// A line of --json: {"t","job","run_id","stream","line"}.
std::string log_line_json(std::string_view job, OutputStream stream, const LogLine& line);

class LogPrinter {
 public:
  LogPrinter(const Context& context, const LogStyle& style) : context_(&context), style_(style) {}

  // The number by which it is called from then on. Names are as wide as the widest so far.
  std::size_t add_job(const std::string& name);
  void add(std::size_t job, OutputStream stream, const LogLine& line);
  // The same of a line that is still being written, without its end: it fits into the terminal's width.
  std::string unfinished(std::size_t job, OutputStream stream, const LogLine& line);
  // Something that no job wrote.
  void add_remark(std::string_view text);
  // What has been gathered.
  [[nodiscard]] std::string& text() { return out_; }

 private:
  struct Job {
    std::string name;
    Color color = Color::plain;
  };
  std::string front(const Job& job, OutputStream stream, const LogLine& line);
  std::string_view time_words(std::int64_t time_us);

  const Context* context_;
  LogStyle style_;
  std::size_t width_ = 0;
  std::vector<Job> jobs_;
  std::string out_;
  std::int64_t written_second_ = -1;  // of the time in `written_`
  std::string written_;
};

}  // namespace usvc
