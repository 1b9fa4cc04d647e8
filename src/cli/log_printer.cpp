#include "cli/log_printer.h"

#include <fmt/core.h>

#include <algorithm>
#include <iterator>

#include "base/time.h"
#include "cli/overwritten.h"
#include "cli/terminal.h"
#include "job/run_id.h"
#include "shapes/json.h"

namespace usvc {

namespace {

constexpr std::int64_t second = 1'000'000;
constexpr std::string_view unknown_time = "-                      ";

// The bytes of the UTF-8 character at the front; 0: it is none.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc2 ? 2 : 0;
  if (length == 0 || lead > 0xf4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0U) != 0x80) return 0;
  }
  // Longer than need be, half of a UTF-16 pair, or beyond the last character.
  const unsigned char second_byte = byte(1);
  if (lead == 0xe0 && second_byte < 0xa0) return 0;
  if (lead == 0xed && second_byte > 0x9f) return 0;
  if (lead == 0xf0 && second_byte < 0x90) return 0;
  if (lead == 0xf4 && second_byte > 0x8f) return 0;
  return length;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string escaped(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 0) {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(text[0]));
    } else if (text[0] == '\\') {
      out += "\\\\";
    } else {
      out.append(text.substr(0, length));
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

}  // namespace

std::string log_line_json(std::string_view job, OutputStream stream, const LogLine& line) {
  json::object object;
  object["t"] = line.time_us ? json::value(static_cast<double>(*line.time_us) / second) : json::value(nullptr);
  object["job"] = json::string_view(job.data(), job.size());
  object["run_id"] = nullptr;
  if (line.run != 0) object["run_id"] = make_run_id(job, line.run, line.nonce);
  object["stream"] = stream == OutputStream::error ? "stderr" : "stdout";
  if (is_utf8(line.text)) {
    object["line"] = json::string_view(line.text.data(), line.text.size());
  } else {
    object["line"] = escaped(line.text);
    object["escaped"] = true;
  }
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
