#include "cli/log_printer.h"

#include <algorithm>

#include "cli/terminal.h"
#include "shapes/json.h"

namespace usvc {

LogPrinter::LogPrinter(const Context& context, const std::vector<std::string>& names, bool raw)
    : context_(&context), raw_(raw || (names.size() == 1 && !context.out.is_tty() && !context.json)) {
  std::size_t width = 0;
  for (const auto& name : names) width = std::max(width, display_width(name));
  for (const auto& name : names) {
    Job job;
    job.name = name;
    if (names.size() > 1) {
      const std::string padded = name + std::string(width - display_width(name), ' ') + " |";
      job.prefix = context.out.paint(Terminal::color_of(jobs_.size()), padded) + " ";
    }
    jobs_.push_back(std::move(job));
  }
}

void LogPrinter::add(std::size_t index, std::string_view bytes) {
  if (raw_) {
    out_.append(bytes);
    return;
  }
  Job& job = jobs_[index];
  for (const auto line : job.lines.feed(bytes)) add_line(job, line);
}

void LogPrinter::finish(std::size_t index) {
  const Job& job = jobs_[index];
  if (!job.lines.rest().empty()) add_line(job, job.lines.rest());
}

void LogPrinter::add_line(const Job& job, std::string_view line) {
  if (context_->json) {
    out_ += json_text(json::object{{"job", job.name}, {"line", json::string_view(line.data(), line.size())}});
  } else {
    out_ += job.prefix;
    if (context_->out.is_tty()) {
      out_ += tame(line, context_->out.colors());
    } else {
      out_.append(line);
    }
  }
  out_ += '\n';
}

Status LogPrinter::flush() {
  if (out_.empty()) return {};
  auto status = print(out_);
  out_.clear();
  return status;
}

}  // namespace usvc
