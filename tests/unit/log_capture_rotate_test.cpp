// The capture's part in rotation: when it asks for a new file, that nothing is written meanwhile, and what the index
// says of it. The files' owner is played by the test.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <random>

#include "base/files.h"
#include "log/capture.h"
#include "log/files.h"
#include "log_channels.h"
#include "log_testing.h"
#include "unit/temporary_directory.h"

namespace usvc {
namespace {

using testing_log::put;

using namespace std::chrono_literals;

class CaptureRotateTest : public testing::Test {
 public:
  CaptureRotateTest(const CaptureRotateTest&) = delete;
  CaptureRotateTest& operator=(const CaptureRotateTest&) = delete;

 protected:
  using Channel = testing_log::Ends;

  CaptureRotateTest() {
    auto page = CarryOwner::make_page();
    auto shared = make_carry();
    auto owner = CarryOwner::map(*page);
    CaptureEvents events;
    events.drained = [this](const std::string& id, std::uint64_t) { note([&] { drained_.push_back(id); }); };
    events.stuck = [](const std::string&, int) {};
    events.carry_lost = [](const std::string&, Carry, Carry) {};
    events.unindexed = [this](const std::string& path, const std::string&) {
      note([&] { unindexed_.push_back(path); });
    };
    events.rotate = [this](const Rotation& rotation) {
      note([&] { asked_.push_back(rotation); });
      if (answer_) answer_(rotation);
    };
    capture_ = std::move(*Capture::create(std::move(*shared), std::move(*owner), std::move(events)));
    owner_page_ = std::move(*page);
  }
  ~CaptureRotateTest() override { capture_.reset(); }

  [[nodiscard]] std::string path(const std::string& name) const { return dir_ + "/" + name; }
  FdRef open_log(const std::string& name) {
    auto log = open_file(path(name), O_RDWR | O_CREAT);
    EXPECT_TRUE(log);
    EXPECT_GE(::lseek(log->get(), 0, SEEK_END), 0);
    logs_[name] = std::move(*log);
    return logs_[name];
  }
  CaptureSource source(const Channel& channel, const std::string& id, bool terminal, std::uint64_t max_size) {
    CaptureSource made;
    made.id = id;
    made.job = "job";
    made.terminal = terminal;
    made.output = channel.read;
    made.log = open_log("job.log");
    made.place = {.path = path("job.log"), .next_position = 0, .max_size = max_size};
    made.run = 3;
    made.nonce = 0xabcd;
    return made;
  }
  // As the manager does it, in the capture's own thread.
  void renew(const Rotation& rotation, const std::string& id) {
    const std::string name = rotation.path.substr(rotation.path.rfind('/') + 1);
    const std::string old = name + "." + std::to_string(++rotations_[name]);
    EXPECT_EQ(std::rename(rotation.path.c_str(), path(old).c_str()), 0);
    EXPECT_EQ(std::rename(index_of(rotation.path).c_str(), index_of(path(old)).c_str()), 0);
    std::vector<Fd> retired;
    retired.push_back(std::move(logs_[name]));
    const FdRef fresh = open_log(name);
    capture_->relog(rotation.path, {{id, fresh}}, std::move(retired), rotation.next_position);
  }
  void renew_always(const std::string& id) {
    answer_ = [this, id](const Rotation& rotation) {
      if (rotation.captured) renew(rotation, id);
    };
  }
  // Of all its files, the oldest first.
  std::vector<std::string> contents(const std::string& name) {
    std::vector<std::string> all;
    for (int n = 1; n <= rotations_[name]; ++n) {
      all.push_back(read_file(path(name + "." + std::to_string(n))).value_or("?"));
    }
    all.push_back(read_file(path(name)).value_or("?"));
    return all;
  }
  static std::string joined(const std::vector<std::string>& parts) {
    std::string all;
    for (const auto& part : parts) all += part;
    return all;
  }
  // That each file's index goes on where the one before ends.
  void check_positions(const std::string& name) {
    std::uint64_t position = 0;
    for (int n = 1; n <= rotations_[name] + 1; ++n) {
      const std::string file = n > rotations_[name] ? name : name + "." + std::to_string(n);
      const auto index = LogIndex::read(index_of(path(file)));
      ASSERT_TRUE(index) << file;
      ASSERT_TRUE(index->base()) << file;
      EXPECT_EQ(*index->base(), position) << file;
      position += read_file(path(file)).value_or("").size();
    }
  }

  static bool wait_until(const std::function<bool()>& condition, std::chrono::milliseconds patience = 30s) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      std::this_thread::sleep_for(1ms);
    }
    return true;
  }
  void note(const std::function<void()>& change) {
    const std::lock_guard lock(mutex_);
    change();
  }
  std::vector<Rotation> asked() {
    const std::lock_guard lock(mutex_);
    return asked_;
  }
  void drain(const std::string& id) {
    capture_->drain(id);
    EXPECT_TRUE(wait_until([&] {
      const std::lock_guard lock(mutex_);
      return std::ranges::find(drained_, id) != drained_.end();
    }));
  }

  TemporaryDirectory directory_;
  const std::string dir_ = directory_.path();
  Fd owner_page_;
  std::map<std::string, Fd> logs_;  // by name
  std::map<std::string, int> rotations_;
  std::function<void(const Rotation&)> answer_;
  std::unique_ptr<Capture> capture_;
  std::mutex mutex_;
  std::vector<Rotation> asked_;
  std::vector<std::string> drained_;
  std::vector<std::string> unindexed_;
};

std::string lines(int from, int to) {
  std::string text;
  for (int i = from; i <= to; ++i) text += "line " + std::to_string(i) + "\n";
  return text;
}

class CaptureFullTest : public CaptureRotateTest, public testing::WithParamInterface<bool> {};

TEST_P(CaptureFullTest, LogsEndWithALineAndNothingIsLost) {
  constexpr std::uint64_t most = 100'000;
  const bool terminal = GetParam();
  Channel channel = terminal ? testing_log::make_terminal() : testing_log::make_pipe();
  renew_always("run");
  capture_->add(source(channel, "run", terminal, most));
  capture_->run();
  const std::string text = lines(1, 60'000);
  put(channel.write, text);
  channel.write.reset();
  drain("run");
  const auto files = contents("job.log");
  EXPECT_EQ(joined(files), text);
  EXPECT_GE(files.size(), text.size() / (most + LiveLog::line_patience));
  for (std::size_t i = 0; i + 1 < files.size(); ++i) {
    EXPECT_GE(files[i].size(), most);
    EXPECT_LT(files[i].size(), most + 20) << "the line's end was not far";
    EXPECT_EQ(files[i].back(), '\n');
  }
  for (const auto& rotation : asked()) {
    EXPECT_EQ(rotation.due, Due::full);
    EXPECT_TRUE(rotation.captured);
  }
  check_positions("job.log");
  const auto index = LogIndex::read(index_of(path("job.log.1")));
  ASSERT_TRUE(index && !index->marks().empty());
  EXPECT_EQ(index->marks().front().kind, MarkKind::run);
  EXPECT_EQ(index->marks().front().run, 3U);
  EXPECT_EQ(index->marks().front().nonce, 0xabcdU);
}

TEST_P(CaptureFullTest, WithoutALinesEndItGoesOnFor64KibAtMost) {
  constexpr std::uint64_t most = 50'000;
  const bool terminal = GetParam();
  Channel channel = terminal ? testing_log::make_terminal() : testing_log::make_pipe();
  renew_always("run");
  capture_->add(source(channel, "run", terminal, most));
  capture_->run();
  std::string text(300'000, '.');
  std::mt19937 generator(7);
  for (char& c : text) {
    c = static_cast<char>(generator());
    if (c == '\n') c = '\0';
  }
  put(channel.write, text);
  channel.write.reset();
  drain("run");
  const auto files = contents("job.log");
  EXPECT_EQ(joined(files), text);
  ASSERT_EQ(files.size(), 3U);
  EXPECT_EQ(files[0].size(), most + LiveLog::line_patience);
  EXPECT_EQ(files[1].size(), most + LiveLog::line_patience);
  check_positions("job.log");
}
INSTANTIATE_TEST_SUITE_P(PipeAndTerminal, CaptureFullTest, testing::Bool(),
                         [](const auto& parameter) { return parameter.param ? "terminal" : "pipe"; });

TEST_F(CaptureRotateTest, NothingIsWrittenBeforeTheNewFileIsThere) {
  Channel channel = testing_log::make_pipe();
  std::optional<Rotation> due;
  answer_ = [&](const Rotation& rotation) { note([&] { due = rotation; }); };
  capture_->add(source(channel, "run", false, 10));
  capture_->run();
  put(channel.write, "a line of some length\n");
  ASSERT_TRUE(wait_until([&] { return asked().size() == 1; }));
  put(channel.write, "another\n");
  capture_->drain("run");
  capture_->rotate(path("job.log"));  // what is under way is enough
  // A second run of the job waits for the first, and so for the new file.
  Channel second = testing_log::make_pipe();
  CaptureSource more;
  more.id = "run2";
  more.job = "job";
  more.output = second.read;
  more.log = logs_["job.log"];
  more.place = {.path = path("job.log"), .next_position = 0, .max_size = 10'000};
  capture_->add(std::move(more));
  put(second.write, "of the second run\n");
  ::usleep(50'000);
  EXPECT_EQ(read_file(path("job.log")).value_or(""), "a line of some length\n");
  EXPECT_EQ(asked().size(), 1U);
  {
    const std::lock_guard lock(mutex_);
    EXPECT_TRUE(drained_.empty());
  }
  ASSERT_EQ(std::rename(path("job.log").c_str(), path("job.log.1").c_str()), 0);
  std::vector<Fd> retired;
  retired.push_back(std::move(logs_["job.log"]));
  const FdRef fresh = open_log("job.log");
  capture_->relog(path("job.log"), {{"run", fresh}, {"run2", fresh}}, std::move(retired), due->next_position);
  EXPECT_TRUE(wait_until([&] { return read_file(path("job.log")).value_or("") == "another\nof the second run\n"; }));
  EXPECT_EQ(read_file(path("job.log.1")).value_or(""), "a line of some length\n");
  second.write.reset();
  drain("run2");
}

TEST_F(CaptureRotateTest, EachStreamHasItsOwnLog) {
  Channel out = testing_log::make_pipe();
  Channel err = testing_log::make_pipe();
  renew_always("run");
  auto split = source(out, "run", false, 50'000);
  split.error_output = err.read;
  split.error_log = open_log("job.err.log");
  split.error_place = {.path = path("job.err.log"), .next_position = 0, .max_size = 20'000};
  capture_->add(std::move(split));
  capture_->run();
  const std::string to_out = lines(1, 20'000);
  const std::string to_err = lines(50'000, 60'000);
  std::thread writer([&] {
    put(err.write, to_err);
    err.write.reset();
  });
  put(out.write, to_out);
  out.write.reset();
  writer.join();
  drain("run");
  EXPECT_EQ(joined(contents("job.log")), to_out);
  EXPECT_EQ(joined(contents("job.err.log")), to_err);
  EXPECT_GE(rotations_["job.log"], 2);
  EXPECT_GE(rotations_["job.err.log"], 3);
  check_positions("job.log");
  check_positions("job.err.log");
}

TEST_F(CaptureRotateTest, ACutLogGoesOnAtItsNewEnd) {
  Channel channel = testing_log::make_pipe();
  capture_->add(source(channel, "run", false, 1'000'000));
  capture_->run();
  put(channel.write, "before\n");
  ASSERT_TRUE(wait_until([&] { return read_file(path("job.log")).value_or("") == "before\n"; }));
  ASSERT_EQ(::truncate(path("job.log").c_str(), 0), 0);
  put(channel.write, "after\n");
  EXPECT_TRUE(wait_until([&] { return read_file(path("job.log")).value_or("") == "after\n"; }));
  channel.write.reset();
  drain("run");
  const auto index = LogIndex::read(index_of(path("job.log")));
  ASSERT_TRUE(index);
  EXPECT_EQ(index->base(), 7U) << "what came before still has its positions";
}

TEST_F(CaptureRotateTest, ALogThatIsMovedAwayOrRemovedIsMadeAnew) {
  for (const bool removed : {false, true}) {
    Channel channel = testing_log::make_pipe();
    std::optional<Rotation> due;
    answer_ = [&](const Rotation& rotation) { note([&] { due = rotation; }); };
    capture_->add(source(channel, "run", false, 1'000'000));
    if (!removed) capture_->run();
    put(channel.write, "first\n");
    ASSERT_TRUE(wait_until([&] { return read_file(path("job.log")).value_or("") == "first\n"; }));
    if (removed) {
      ASSERT_EQ(::unlink(path("job.log").c_str()), 0);
    } else {
      ASSERT_EQ(std::rename(path("job.log").c_str(), path("elsewhere").c_str()), 0);
    }
    std::string kept = "first\n";
    ASSERT_TRUE(wait_until([&] {
      ::usleep(20'000);
      const std::lock_guard lock(mutex_);
      if (due) return true;
      put(channel.write, "more\n");
      kept += "more\n";
      return false;
    }));
    EXPECT_EQ(due->due, Due::gone);
    std::vector<Fd> retired;
    retired.push_back(std::move(logs_["job.log"]));
    capture_->relog(path("job.log"), {{"run", open_log("job.log")}}, std::move(retired), due->next_position);
    put(channel.write, "last\n");
    channel.write.reset();
    drain("run");
    const std::string moved = removed ? "" : read_file(path("elsewhere")).value_or("?");
    const std::string live = read_file(path("job.log")).value_or("?");
    if (!removed) {
      EXPECT_EQ(moved + live, kept + "last\n");
    }
    EXPECT_TRUE(live.ends_with("last\n"));
    const std::lock_guard lock(mutex_);
    drained_.clear();
    (void)::unlink(path("job.log").c_str());
  }
}

TEST_F(CaptureRotateTest, OneThatCanNotBeRotatedIsAskedForAgainAfterAMegabyte) {
  Channel channel = testing_log::make_pipe();
  answer_ = [&](const Rotation& rotation) { capture_->go_on(rotation.path); };
  capture_->add(source(channel, "run", false, 10'000));
  capture_->run();
  const std::string text = lines(1, 200'000);  // 2.2 MB
  put(channel.write, text);
  channel.write.reset();
  drain("run");
  EXPECT_EQ(read_file(path("job.log")).value_or("?"), text);
  EXPECT_EQ(asked().size(), 3U);
}

TEST_F(CaptureRotateTest, OnDemandAtTheEndOfALineThatWaits) {
  Channel channel = testing_log::make_pipe();
  renew_always("run");
  capture_->run();
  capture_->rotate(path("job.log"));
  ASSERT_TRUE(wait_until([&] { return asked().size() == 1; }));
  EXPECT_FALSE(asked()[0].captured) << "nobody writes to it";

  capture_->add(source(channel, "run", false, 0));
  put(channel.write, "one\ntw");
  ASSERT_TRUE(wait_until([&] { return read_file(path("job.log")).value_or("") == "one\ntw"; }));
  capture_->rotate(path("job.log"));
  ASSERT_TRUE(wait_until([&] { return asked().size() == 2; }));
  EXPECT_TRUE(asked()[1].captured) << "without a line's end, where it stands";
  EXPECT_EQ(asked()[1].next_position, 6U);
  put(channel.write, "o\nthree\n");
  channel.write.reset();
  drain("run");
  EXPECT_EQ(contents("job.log"), (std::vector<std::string>{"one\ntw", "o\nthree\n"}));
}

TEST_F(CaptureRotateTest, WithoutAnIndexTheLogIsWrittenAndThatIsTold) {
  Channel channel = testing_log::make_pipe();
  ASSERT_EQ(::mkdir(index_of(path("job.log")).c_str(), 0700), 0);
  capture_->add(source(channel, "run", false, 0));
  capture_->run();
  put(channel.write, "one\n");
  channel.write.reset();
  drain("run");
  EXPECT_EQ(read_file(path("job.log")).value_or("?"), "one\n");
  const std::lock_guard lock(mutex_);
  EXPECT_EQ(unindexed_, std::vector<std::string>{path("job.log")});
}

TEST_F(CaptureRotateTest, TheIndexIsSmall) {
  Channel channel = testing_log::make_pipe();
  capture_->add(source(channel, "run", false, 0));
  capture_->run();
  const std::string text = lines(1, 400'000);
  put(channel.write, text);
  channel.write.reset();
  drain("run");
  struct stat info {};
  ASSERT_EQ(::stat(index_of(path("job.log")).c_str(), &info), 0);
  EXPECT_GT(info.st_size, 0);
  EXPECT_LT(static_cast<std::size_t>(info.st_size), text.size() / 100);
}

}  // namespace
}  // namespace usvc
