#include "log/compress.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include <cerrno>
#include <memory>
#include <vector>

#include "base/fd.h"
#include "base/files.h"

namespace usvc {

namespace {

constexpr int level = 3;

struct Free {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};

Result<std::size_t> read_some(FdRef file, std::vector<char>& buffer) {
  std::size_t filled = 0;
  while (filled < buffer.size()) {
    const ssize_t got = ::read(file.get(), buffer.data() + filled, buffer.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(Error::last("cannot read"));
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  return filled;
}

Status compress_all(FdRef source, FdRef target, const std::atomic<bool>& stop) {
  const std::unique_ptr<ZSTD_CCtx, Free> context(ZSTD_createCCtx());
  if (!context) return fail(Error::from_errno(ENOMEM, "cannot compress"));
  (void)ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, level);  // both are in range
  (void)ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1);
  std::vector<char> raw(frame_content);
  std::vector<char> packed(ZSTD_compressBound(frame_content));
  for (;;) {
    if (stop) return fail(Error::from_errno(ECANCELED, "not compressed"));
    auto size = read_some(source, raw);
    if (!size) return pass(size);
    if (*size == 0) return {};
    const std::size_t length = ZSTD_compress2(context.get(), packed.data(), packed.size(), raw.data(), *size);
    if (ZSTD_isError(length) != 0) return fail(std::string("cannot compress: ") + ZSTD_getErrorName(length));
    if (auto written = write_all(target, {packed.data(), length}); !written) return written;
  }
}

}  // namespace

Status compress_file(const std::string& source, const std::string& target, const std::atomic<bool>& stop) {
  auto from = open_file(source, O_RDONLY);
  if (!from) return pass(from);
  (void)::unlink(target.c_str());  // left by one that was cut short
  auto to = open_file(target, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
  if (!to) return pass(to);
  if (auto done = compress_all(*from, *to, stop); !done) return pass(done, source);
  struct stat info {};
  if (::fstat(from->get(), &info) == 0) {
    const timespec times[] = {info.st_atim, info.st_mtim};
    (void)::futimens(to->get(), times);  // only the order of removal goes by it
  }
  // The raw file is removed for it.
  if (::fdatasync(to->get()) != 0) return fail(Error::last("cannot write " + target));
  return {};
}

}  // namespace usvc
