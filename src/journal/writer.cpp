#include "journal/writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "base/fault_point.h"
#include "base/files.h"
#include "journal/reader.h"

namespace usvc {

namespace {

// Small enough to be folded in milliseconds at the next start.
constexpr std::uint64_t least_segment = std::uint64_t{1} << 20U;
constexpr std::uint64_t kept_segments = 32;
// What waits for a full disk; beyond it the newest lines are refused.
constexpr std::size_t most_pending = std::size_t{8} << 20U;

}  // namespace

std::string segment_path(const std::string& dir, std::uint64_t number) {
  std::string digits = std::to_string(number);
  digits.insert(0, digits.size() < 8 ? 8 - digits.size() : 0, '0');
  return dir + "/" + digits + ".jsonl";
}

Result<JournalWriter> JournalWriter::open(const std::string& dir) {
  auto names = list_dir(dir);
  if (!names) return pass(names, "cannot open the journal");
  std::uint64_t newest = 0;
  for (const auto& name : *names) newest = std::max(newest, segment_number(name).value_or(0));
  JournalWriter writer;
  writer.dir_ = dir;
  if (auto status = writer.open_segment(std::max<std::uint64_t>(newest, 1)); !status) return pass(status);
  return writer;
}

Status JournalWriter::open_segment(std::uint64_t number) {
  const std::string path = segment_path(dir_, number);
  auto file = open_file(path, O_RDWR | O_CREAT | O_APPEND, 0600);
  if (!file) return pass(file, "cannot open the journal");
  const off_t size = ::lseek(file->get(), 0, SEEK_END);
  if (size < 0) return fail(Error::last("cannot open the journal " + path));
  char last = '\n';
  if (size > 0 && ::pread(file->get(), &last, 1, size - 1) != 1) {
    return fail(Error::last("cannot read the journal " + path));
  }
  if (last != '\n') pending_.insert(0, "\n");  // a torn last line gets its end, and is skipped by readers
  number_ = number;
  file_ = std::move(*file);
  written_ = static_cast<std::uint64_t>(size);
  checkpoint_at_ = std::max(least_segment, checkpoint_at_);
  return {};
}

Status JournalWriter::append(const Event& event) {
  const std::string line = event_line(event) + "\n";
  if (pending_.size() + line.size() > most_pending) {
    return fail(Error::from_errno(ENOBUFS, "the journal can't be written and too much waits for it"));
  }
  pending_ += line;
  Status written = flush();
  fault_point("manager.journal-line");
  return written;
}

Status JournalWriter::flush() {
  while (!pending_.empty()) {
    const ssize_t written = ::write(file_.get(), pending_.data(), pending_.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail(Error::last("cannot write the journal " + segment_path(dir_, number_)));
    written_ += static_cast<std::uint64_t>(written);
    pending_.erase(0, static_cast<std::size_t>(written));
  }
  return {};
}

Status JournalWriter::checkpoint(const Picture& picture, double now) {
  if (auto status = flush(); !status) return status;
  std::string text;
  Event event;
  event.t = now;
  for (const auto& [name, record] : picture.jobs) {
    event.event = "checkpoint";
    event.job = name;
    event.state = to_json(record, Absent::omit);
    text += event_line(event) + "\n";
  }
  for (const auto& [key, seen] : picture.requests) {
    for (const auto& job : seen.jobs) {
      Event request;
      request.t = seen.t;
      request.event = "request";
      request.job = job;
      request.key = key;
      text += event_line(request) + "\n";
    }
  }
  Event end;
  end.t = now;
  end.event = "checkpoint-end";
  text += event_line(end) + "\n";
  checkpoint_at_ = std::max<std::uint64_t>(least_segment, 4 * text.size());
  if (auto status = write_file_atomically(segment_path(dir_, number_ + 1), text, Flush::no); !status) return status;
  fault_point("manager.checkpoint");
  if (auto status = open_segment(number_ + 1); !status) return status;
  remove_old();
  return {};
}

void JournalWriter::remove_old() const {
  if (number_ <= kept_segments) return;
  auto names = list_dir(dir_);
  if (!names) return;
  for (const auto& name : *names) {
    const auto number = segment_number(name);
    // One that can't be removed now is met again at the next checkpoint.
    if (number && *number <= number_ - kept_segments) (void)std::remove((dir_ + "/" + name).c_str());
  }
}

}  // namespace usvc
