#include "journal/spill.h"

#include <unistd.h>

#include <cerrno>

#include "base/files.h"
#include "base/memory.h"

namespace usvc {

Result<Fd> Spill::make_file() {
  return make_memory_file("usvc-journal", sizeof(Header));
}

Result<Spill::Header> Spill::header() const {
  Header header;
  if (!file_) return fail(Error::from_errno(EBADF, "nothing keeps what the disk does not take"));
  const ssize_t got = ::pread(file_.get(), &header, sizeof header, 0);
  if (got < 0) return fail(Error::last("cannot read the kept journal lines"));
  if (got != sizeof header || header.length > largest) return fail("the kept journal lines cannot be read");
  return header;
}

// One write of a few bytes: a signal can't come in between, so the header is the old one or the new one.
Status Spill::put(const Header& header) {
  const ssize_t written = ::pwrite(file_.get(), &header, sizeof header, 0);
  if (written == sizeof header) return {};
  return fail(Error::last("cannot keep journal lines"));
}

Result<Spill::Content> Spill::read() const {
  auto head = header();
  if (!head) return pass(head);
  auto text = read_at(file_, sizeof(Header), head->length);
  if (!text) return pass(text, "cannot read the kept journal lines");
  return Content{.segment = head->segment, .offset = head->offset, .text = std::move(*text)};
}

Status Spill::add(std::uint64_t segment, std::uint64_t offset, std::string_view text) {
  auto head = header();
  if (!head) return pass(head);
  if (head->length == 0) head = Header{.segment = segment, .offset = offset, .length = 0};
  if (head->length + text.size() > largest) {
    return fail(Error::from_errno(ENOBUFS, "the journal cannot be written and too much waits for it"));
  }
  std::size_t written = 0;
  while (written < text.size()) {
    const auto at = static_cast<off_t>(sizeof(Header) + head->length + written);
    const ssize_t step = ::pwrite(file_.get(), text.data() + written, text.size() - written, at);
    if (step < 0 && errno == EINTR) continue;
    if (step < 0) return fail(Error::last("cannot keep journal lines"));
    written += static_cast<std::size_t>(step);
  }
  head->length += text.size();  // only now does it count
  return put(*head);
}

Status Spill::clear() {
  if (auto emptied = put({}); !emptied) return emptied;
  if (::ftruncate(file_.get(), sizeof(Header)) != 0) return fail(Error::last("cannot empty the kept journal lines"));
  return {};
}

}  // namespace usvc
