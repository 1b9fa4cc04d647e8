#include "cli/hand_made_log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/crc.hpp>
#include <cstdio>
#include <cstdlib>
#include <random>

#include "base/files.h"

namespace usvc::test {

namespace {

// The form of a mark, written down here once more: what readers of released versions rely on.
constexpr std::uint32_t header = 1;
constexpr std::uint32_t begin_of_run = 2;
constexpr std::uint32_t batch = 3;

void put(std::string& bytes, std::uint64_t value, int size) {
  for (int i = 0; i < size; ++i) bytes += static_cast<char>((value >> (8 * i)) & 0xffU);
}

void append(const std::string& path, const std::string& bytes) {
  const auto file = open_file(path, O_WRONLY | O_CREAT | O_APPEND);
  ASSERT_TRUE(file) << path;
  ASSERT_TRUE(write_all(*file, bytes));
}

constexpr std::uint32_t tag_of(std::uint32_t run) {
  return 0xab000000U + run;
}

}  // namespace

void HandMadeLog::mark(std::uint32_t kind, std::int64_t seconds) const {
  std::string bytes;
  put(bytes, all_.size(), 8);
  put(bytes, static_cast<std::uint64_t>(seconds) * 1'000'000, 8);
  put(bytes, kind == header ? 0 : run_, 4);
  put(bytes, kind == header ? 0 : tag_of(run_), 4);
  put(bytes, kind, 4);
  boost::crc_32_type check;
  check.process_bytes(bytes.data(), bytes.size());
  put(bytes, check.checksum(), 4);
  append(path() + ".idx", bytes);
}

void HandMadeLog::run(std::uint32_t number, std::int64_t seconds, const std::string& text) {
  if (!begun_) mark(header, seconds);
  begun_ = true;
  run_ = number;
  mark(begin_of_run, seconds);
  append(path(), text);
  all_ += text;
}

void HandMadeLog::write(std::int64_t seconds, const std::string& text) {
  if (!begun_) mark(header, seconds);
  begun_ = true;
  mark(batch, seconds);
  append(path(), text);
  all_ += text;
}

std::string HandMadeLog::old_path(int number) const {
  std::array<char, 16> digits{};
  (void)std::snprintf(digits.data(), digits.size(), "%06d", number);
  return home_ + "/logs/old/" + name_ + ".log." + digits.data();
}

void HandMadeLog::rotate() {
  const std::string old = old_path(++rotated_);
  ASSERT_EQ(std::rename((path() + ".idx").c_str(), (old + ".idx").c_str()), 0);
  ASSERT_EQ(std::rename(path().c_str(), old.c_str()), 0);
  begun_ = false;
}

void HandMadeLog::compress(int number, std::size_t frame_size) const {
  const std::string old = old_path(number);
  const std::string command = "split --bytes=" + std::to_string(frame_size) + " --filter='zstd -q -c' '" + old +
                              "' > '" + old + ".zst' && rm '" + old + "'";
  ASSERT_EQ(std::system(command.c_str()), 0) << command;
}

void HandMadeLog::drop_indexes() const {
  (void)::unlink((path() + ".idx").c_str());
  for (int number = 1; number <= rotated_; ++number) (void)::unlink((old_path(number) + ".idx").c_str());
}

std::string HandMadeLog::run_id(std::uint32_t number) const {
  std::array<char, 16> tag{};
  (void)std::snprintf(tag.data(), tag.size(), "%08x", tag_of(number));
  return name_ + "." + std::to_string(number) + "." + tag.data();
}

std::string random_bytes(std::size_t size, unsigned seed) {
  std::mt19937 engine(seed);
  std::string bytes(size, '\0');
  std::generate(bytes.begin(), bytes.end(), [&] { return static_cast<char>(engine()); });
  return bytes;
}

}  // namespace usvc::test
