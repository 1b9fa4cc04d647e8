#include "journal/writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "base/fault_point.h"
#include "base/files.h"
#include "base/memory.h"
#include "journal/reader.h"

namespace usvc {

namespace {

// Small enough to be folded in milliseconds at the next start.
constexpr std::uint64_t least_segment = std::uint64_t{1} << 20U;
constexpr std::uint64_t kept_segments = 32;
// Set aside ahead of what is written, and renewed when less than this is left of it.
constexpr off_t reserve_ahead = off_t{256} << 10U;
constexpr std::uint64_t reserve_least = std::uint64_t{128} << 10U;
// After a checkpoint that could not be written, the next is tried when this much has been added.
constexpr std::uint64_t checkpoint_pause = std::uint64_t{64} << 10U;

}  // namespace

std::string segment_path(const std::string& dir, std::uint64_t number) {
  std::string digits = std::to_string(number);
  digits.insert(0, digits.size() < 8 ? 8 - digits.size() : 0, '0');
  return dir + "/" + digits + ".jsonl";
}

Result<JournalWriter> JournalWriter::open(const std::string& dir, Spill spill) {
  auto names = list_dir(dir);
  if (!names) return pass(names, "cannot open the journal");
  std::uint64_t newest = 0;
  for (const auto& name : *names) newest = std::max(newest, segment_number(name).value_or(0));
  JournalWriter writer;
  writer.dir_ = dir;
  writer.spill_ = std::move(spill);
  if (auto status = writer.open_segment(std::max<std::uint64_t>(newest, 1)); !status) return pass(status);
  if (auto status = writer.take_spilled(); !status) return pass(status);
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
  torn_ = last != '\n';  // such a line gets its end with the next one, and is skipped by readers
  number_ = number;
  file_ = std::move(*file);
  written_ = static_cast<std::uint64_t>(size);
  reserved_ = written_;
  checkpoint_at_ = std::max(least_segment, checkpoint_at_);
  reserve();
  return {};
}

// What an earlier writer could not write. It may have died while it was writing it: what the disk has of it by now is
// told by the segment's size.
Status JournalWriter::take_spilled() {
  auto content = spill_.read();
  if (!content && content.error().code() == EBADF) return {};  // there is no spill
  if (!content) return pass(content);
  if (content->text.empty()) return {};
  const bool here = content->segment == number_ && written_ >= content->offset;
  if (here) {
    pending_ = content->text.substr(std::min<std::uint64_t>(written_ - content->offset, content->text.size()));
    // It died before it could say that all of it was written.
    if (pending_.empty()) return spill_.clear();
  } else {
    // Somebody has been at the journal's files: all of it comes again, at the end of what there is.
    pending_ = (torn_ ? "\n" : "") + content->text;
    if (auto cleared = spill_.clear(); !cleared) return cleared;
    if (auto kept = spill_.add(number_, written_, pending_); !kept) return kept;
  }
  torn_ = false;  // what waits goes on where the disk ends, be it in the middle of a line
  (void)flush();  // else it is tried again later
  return {};
}

// Room set aside for the journal alone: on a disk filled by others it goes on for a while. A file system that can't do
// it is no worse off than before.
void JournalWriter::reserve() {
  if (written_ + reserve_least < reserved_) return;
  if (::fallocate(file_.get(), FALLOC_FL_KEEP_SIZE, static_cast<off_t>(written_), reserve_ahead) == 0) {
    reserved_ = written_ + reserve_ahead;
  } else {
    reserved_ = written_ + reserve_ahead / 2;  // when it is tried again
  }
}

// Writes as much as the disk takes and leaves the rest in `text`.
Status JournalWriter::write_out(std::string& text) {
  std::size_t done = 0;
  Status status;
  while (status && done < text.size()) {
    const ssize_t written = ::write(file_.get(), text.data() + done, text.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) status = fail(Error::last("cannot write the journal " + segment_path(dir_, number_)));
    if (written > 0) done += static_cast<std::size_t>(written);
  }
  if (done > 0) torn_ = text[done - 1] != '\n';
  text.erase(0, done);
  written_ += done;
  trouble_ = status ? "" : status.error().message();
  if (status) reserve();
  return status;
}

// Somebody else has written here, or cut it off: what comes next is not to be the end of their line.
void JournalWriter::notice_others() {
  const auto size = file_size(file_);
  if (!size || *size == written_) return;
  written_ = *size;
  torn_ = true;
}

Status JournalWriter::append(const Event& event) {
  std::string line = event_line(event) + "\n";
  if (!pending_.empty()) {
    if (auto kept = spill_.add(number_, written_, line); !kept) return kept;
    pending_ += line;
    (void)flush();  // what is kept is tried again later
    return {};
  }
  notice_others();
  if (torn_) line.insert(0, "\n");
  Status written = write_out(line);
  fault_point("manager.journal-line");
  if (written) return {};
  if (auto kept = spill_.add(number_, written_, line); !kept) return written;
  torn_ = false;
  pending_ = std::move(line);
  return {};
}

Status JournalWriter::flush() {
  if (pending_.empty()) return {};
  if (auto written = write_out(pending_); !written) {
    torn_ = false;  // what waits begins with the rest of that line
    return written;
  }
  return spill_.clear();
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
  if (picture.upgrade) {
    for (const auto& upgrade : events_of(*picture.upgrade)) text += event_line(upgrade) + "\n";
  }
  Event end;
  end.t = now;
  end.event = "checkpoint-end";
  text += event_line(end) + "\n";
  checkpoint_at_ = written_ + checkpoint_pause;
  if (auto status = write_file_atomically(segment_path(dir_, number_ + 1), text, Flush::no); !status) return status;
  fault_point("manager.checkpoint");
  checkpoint_at_ = std::max<std::uint64_t>(least_segment, 4 * text.size());
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
