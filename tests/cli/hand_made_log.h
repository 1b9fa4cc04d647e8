// A log as it looks after much has happened to it, made by hand: with its index, rotated and compressed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace usvc::test {

class HandMadeLog {
 public:
  // `home` is the instance's directory; its logs/ and logs/old/ must exist.
  HandMadeLog(std::string home, std::string name) : home_(std::move(home)), name_(std::move(name)) {}

  // Output of a run, `seconds` after the epoch.
  void run(std::uint32_t number, std::int64_t seconds, const std::string& text);
  void write(std::int64_t seconds, const std::string& text);
  void rotate();
  // By zstd(1), in frames of so many bytes each.
  void compress(int number, std::size_t frame_size) const;
  void drop_indexes() const;

  [[nodiscard]] std::string path() const { return home_ + "/logs/" + name_ + ".log"; }
  [[nodiscard]] std::string old_path(int number) const;
  [[nodiscard]] const std::string& all() const { return all_; }
  // NAME.NUMBER.TAG of a run.
  [[nodiscard]] std::string run_id(std::uint32_t number) const;

 private:
  void mark(std::uint32_t kind, std::int64_t seconds) const;

  std::string home_;
  std::string name_;
  std::string all_;
  std::uint32_t run_ = 0;
  int rotated_ = 0;
  bool begun_ = false;  // the live file has its header
};

// A log that is mostly noise: no line ends but those that come by chance.
std::string random_bytes(std::size_t size, unsigned seed);

}  // namespace usvc::test
