#include "cli/log_printer.h"

#include <algorithm>

#include "base/time.h"
#include "cli/overwritten.h"
#include "cli/terminal.h"
#include "job/run_id.h"
#include "shapes/json.h"

namespace usvc {

namespace {

constexpr std::int64_t second = 1'000'000;
constexpr std::string_view unknown_time = "-                      ";

}  // namespace

std::string log_line_json(std::string_view job, OutputStream stream, const LogLine& line) {
  json::object object;
  object["t"] = line.time_us ? json::value(static_cast<double>(*line.time_us) / second) : json::value(nullptr);
  object["job"] = json::string_view(job.data(), job.size());
  object["run_id"] = nullptr;
  if (line.run != 0) object["run_id"] = make_run_id(job, line.run, line.nonce);
  object["stream"] = stream == OutputStream::error ? "stderr" : "stdout";
  object["line"] = json::string_view(line.text.data(), line.text.size());
  return json_text(object);
}

std::size_t LogPrinter::add_job(const std::string& name) {
  width_ = std::max(width_, display_width(name));
  jobs_.push_back({name, Terminal::color_of(jobs_.size())});
  return jobs_.size() - 1;
}

// "2026-11-22 10:00:00.123"
std::string_view LogPrinter::time_words(std::int64_t time_us) {
  const std::int64_t whole = time_us >= 0 ? time_us / second : (time_us - second + 1) / second;
  if (whole != written_second_ || written_.empty()) {
    written_ = format_time(static_cast<double>(whole)) + ".000";
    written_second_ = whole;
  }
  const auto millis = static_cast<int>((time_us - whole * second) / 1000);
  for (int i = 0, part = millis; i < 3; ++i, part /= 10) *(written_.end() - 1 - i) = static_cast<char>('0' + part % 10);
  return written_;
}

std::string LogPrinter::front(const Job& job, OutputStream stream, const LogLine& line) {
  const Terminal& terminal = context_->out;
  std::string text;
  if (style_.timestamps) {
    text += terminal.paint(Color::dim, line.time_us ? time_words(*line.time_us) : unknown_time);
    text += ' ';
  }
  const bool error = stream == OutputStream::error;
  if (style_.names) {
    const std::size_t width = display_width(job.name);
    text += terminal.paint(job.color, job.name + std::string(width_ - width, ' ') + (error ? "" : " |"));
    if (error) text += terminal.paint(Color::red, " !");
    text += ' ';
  } else if (error) {
    text += terminal.paint(Color::red, "!") + " ";
  }
  return text;
}

std::string LogPrinter::unfinished(std::size_t job, OutputStream stream, const LogLine& line) {
  std::string text = front(jobs_[job], stream, line);
  const std::size_t width = context_->out.width().value_or(80);
  // The last column stays free: a terminal may go to the next row after it.
  const std::size_t taken = std::min(width - 1, display_width(tame(text, false)));
  return text.append(cut_to(tame(last_state(line.text), false), width - 1 - taken));
}

void LogPrinter::add(std::size_t job, OutputStream stream, const LogLine& line) {
  if (context_->json) {
    out_ += log_line_json(jobs_[job].name, stream, line);
    out_ += '\n';
    return;
  }
  if (style_.raw) {
    out_.append(line.text);
    if (line.ended) out_ += '\n';
    return;
  }
  out_ += front(jobs_[job], stream, line);
  if (context_->out.is_tty()) {
    out_ += tame(last_state(line.text), context_->out.colors());
  } else {
    out_.append(line.text);
  }
  out_ += '\n';
}

void LogPrinter::add_remark(std::string_view text) {
  const std::string line = "-- " + std::string(text) + " --";
  out_ += context_->out.paint(Color::dim, context_->out.cut(line));
  out_ += '\n';
}

}  // namespace usvc
