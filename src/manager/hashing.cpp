#include "manager/hashing.h"

#include <fcntl.h>
#include <md5.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <vector>

#include "base/files.h"

namespace usvc {

namespace {

constexpr std::size_t most_known = 4096;

std::string md5_of(const std::string& path) {
  const auto file = open_file(path, O_RDONLY);
  if (!file) return {};
  MD5_CTX context;
  MD5Init(&context);
  std::vector<std::uint8_t> buffer(std::size_t{256} << 10U);
  for (;;) {
    const ssize_t got = ::read(file->get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return {};
    if (got == 0) break;
    MD5Update(&context, buffer.data(), static_cast<std::size_t>(got));
  }
  std::array<char, MD5_DIGEST_STRING_LENGTH> text{};
  return MD5End(&context, text.data());
}

}  // namespace

void Hashing::hash(const std::string& path, std::function<void(const Hashed&)> done) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return;
  Hashed hashed;
  hashed.binary = {.path = path,
                   .dev = static_cast<std::int64_t>(info.st_dev),
                   .inode = static_cast<std::int64_t>(info.st_ino),
                   .size = info.st_size,
                   .mtime_ns = std::int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec};
  const Key key{hashed.binary.dev, hashed.binary.inode, hashed.binary.size, hashed.binary.mtime_ns};
  if (const auto known = known_.find(key); known != known_.end()) {
    hashed.md5 = known->second;
    return done(hashed);
  }
  asio::post(workers_, [this, key, hashed = std::move(hashed), done = std::move(done)]() mutable {
    hashed.md5 = md5_of(hashed.binary.path);
    asio::post(io_, [this, key, hashed = std::move(hashed), done = std::move(done)] {
      if (known_.size() >= most_known) known_.clear();
      known_[key] = hashed.md5;
      done(hashed);
    });
  });
}

}  // namespace usvc
