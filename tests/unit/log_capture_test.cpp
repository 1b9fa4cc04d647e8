#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <condition_variable>
#include <csignal>
#include <set>

#include "base/files.h"
#include "log/capture.h"
#include "log_channels.h"
#include "log_testing.h"
#include "unit/temporary_directory.h"

namespace usvc {
namespace {

using testing_log::put;

using namespace std::chrono_literals;

class CaptureTest : public testing::Test {
 public:
  CaptureTest(const CaptureTest&) = delete;
  CaptureTest& operator=(const CaptureTest&) = delete;

 protected:
  struct Channel {
    Fd read;
    Fd write;
    Fd log;
    std::string path;
  };

  CaptureTest() {
    auto page = CarryOwner::make_page();
    owner_page_ = std::move(*page);
  }
  ~CaptureTest() override { capture_.reset(); }

  void create() {
    auto shared = make_carry();
    ASSERT_TRUE(shared);
    carry_copy_ = Fd(::fcntl(shared->write.get(), F_DUPFD_CLOEXEC, 3));
    auto owner = CarryOwner::map(owner_page_);
    ASSERT_TRUE(owner);
    CaptureEvents events;
    events.drained = [this](const std::string& id, std::uint64_t) { note(drained_, id); };
    events.stuck = [this](const std::string& id, int error) { note(error != 0 ? stuck_ : freed_, id); };
    events.carry_lost = [this](const std::string& id, Carry, Carry) {
      note(lost_, id);
      capture_->carry_replaced();
    };
    auto capture = Capture::create(std::move(*shared), std::move(*owner), std::move(events));
    ASSERT_TRUE(capture);
    capture_ = std::move(*capture);
  }

  Fd open_log(const std::string& path) {
    auto log = open_file(path, O_WRONLY | O_CREAT);
    EXPECT_TRUE(log);
    EXPECT_GE(::lseek(log->get(), 0, SEEK_END), 0);
    return std::move(*log);
  }
  Channel channel(testing_log::Ends ends, const std::string& name) {
    const std::string path = dir_ + "/" + name;
    return {std::move(ends.read), std::move(ends.write), open_log(path), path};
  }
  Channel pipe_channel(const std::string& name) { return channel(testing_log::make_pipe(), name); }
  Channel terminal_channel(const std::string& name) { return channel(testing_log::make_terminal(), name); }
  void add(const Channel& channel, const std::string& id, bool terminal, const std::string& job = "") {
    CaptureSource source;
    source.id = id;
    source.job = job.empty() ? id : job;
    source.terminal = terminal;
    source.output = channel.read;
    source.log = channel.log;
    capture_->add(std::move(source));
  }

  static std::string content(const Channel& channel) { return read_file(channel.path).value_or("?"); }
  static bool wait_until(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      std::this_thread::sleep_for(1ms);
    }
    return true;
  }
  void note(std::multiset<std::string>& set, const std::string& id) {
    const std::lock_guard lock(mutex_);
    set.insert(id);
  }
  bool noted(const std::multiset<std::string>& set, const std::string& id) {
    const std::lock_guard lock(mutex_);
    return set.contains(id);
  }

  TemporaryDirectory directory_;
  const std::string dir_ = directory_.path();
  Fd owner_page_;
  Fd carry_copy_;
  std::unique_ptr<Capture> capture_;
  std::mutex mutex_;
  std::multiset<std::string> drained_, stuck_, freed_, lost_;
};

TEST_F(CaptureTest, LineIsInTheLogAtOnceAndTheRestAtTheDrain) {
  create();
  for (const bool terminal : {false, true}) {
    Channel channel = terminal ? terminal_channel("t") : pipe_channel("p");
    const std::string id = terminal ? "t.1" : "p.1";
    add(channel, id, terminal);
    if (!terminal) capture_->run();
    put(channel.write, "hello\n");
    EXPECT_TRUE(wait_until([&] { return content(channel) == "hello\n"; })) << content(channel);
    put(channel.write, "last words");
    channel.write.reset();
    capture_->drain(id);
    EXPECT_TRUE(wait_until([&] { return noted(drained_, id); }));
    EXPECT_EQ(content(channel), "hello\nlast words");
  }
}

TEST_F(CaptureTest, FloodArrivesWholeAndGoesOnBehindWhatIsThere) {
  create();
  Channel channel = pipe_channel("p");
  put(channel.log, "before\n");
  add(channel, "p.1", false);
  capture_->run();
  std::string sent = "before\n";
  for (int i = 0; i < 20'000; ++i) {
    const std::string line = "line " + std::to_string(i) + " of a chatty job\n";
    put(channel.write, line);
    sent += line;
  }
  channel.write.reset();
  capture_->drain("p.1");
  ASSERT_TRUE(wait_until([&] { return noted(drained_, "p.1"); }));
  EXPECT_EQ(content(channel), sent);
}

// Writes of this size leave a piece of each full pipe free.
TEST_F(CaptureTest, APipeThatIsFoundNearlyFullGrows) {
  create();
  Channel channel = pipe_channel("p");
  const int born = ::fcntl(channel.write.get(), F_GETPIPE_SZ);
  add(channel, "p.1", false);
  capture_->run();
  const std::string block(65'500, 'x');
  EXPECT_TRUE(wait_until([&] {
    put(channel.write, block);
    return ::fcntl(channel.write.get(), F_GETPIPE_SZ) > born;
  }));
  capture_.reset();  // its thread is done with the channels
}

TEST_F(CaptureTest, TerminalFloodArrivesWhole) {
  create();
  Channel channel = terminal_channel("t");
  add(channel, "t.1", true);
  capture_->run();
  std::string sent;
  for (int i = 0; i < 20'000; ++i) sent += "line " + std::to_string(i) + " of a chatty job\n";
  put(channel.write, sent);
  capture_->drain("t.1");
  ASSERT_TRUE(wait_until([&] { return noted(drained_, "t.1"); }));
  EXPECT_TRUE(content(channel) == sent);
}

TEST_F(CaptureTest, TerminalThatHungUpMayBeOpenedAgain) {
  create();
  Channel channel = terminal_channel("t");
  add(channel, "t.1", true);
  capture_->run();
  std::array<char, 64> path{};
  ASSERT_EQ(::ptsname_r(channel.read.get(), path.data(), path.size()), 0);
  put(channel.write, "one\n");
  ASSERT_TRUE(wait_until([&] { return content(channel) == "one\n"; }));
  channel.write.reset();
  auto again = open_file(path.data(), O_RDWR | O_NOCTTY);
  ASSERT_TRUE(again);
  put(*again, "two\n");
  EXPECT_TRUE(wait_until([&] { return content(channel) == "one\ntwo\n"; })) << content(channel);
  capture_.reset();  // its thread is done with the channels
}

TEST_F(CaptureTest, BytesLeftInTheCarryPipeGoToTheirOwnerFirst) {
  auto owner = CarryOwner::map(owner_page_);
  ASSERT_TRUE(owner);
  owner->set("b.1");
  create();
  put(carry_copy_, "from a killed manager\n");
  Channel a = terminal_channel("a");
  Channel b = terminal_channel("b");
  add(a, "a.1", true);
  add(b, "b.1", true);
  put(a.write, "from a\n");
  put(b.write, "from b\n");
  capture_->run();
  EXPECT_TRUE(wait_until([&] { return content(b) == "from a killed manager\nfrom b\n"; })) << content(b);
  EXPECT_TRUE(wait_until([&] { return content(a) == "from a\n"; })) << content(a);
  capture_.reset();  // its thread is done with the channels
}

// RLIMIT_FSIZE does what a full disk does, without a disk; RLIMIT_NOFILE leaves what is open as it is.
class Limit {
 public:
  Limit(__rlimit_resource resource, rlim_t soft) : resource_(resource) {
    (void)std::signal(SIGXFSZ, SIG_IGN);
    (void)::getrlimit(resource_, &before_);
    rlimit limit = before_;
    limit.rlim_cur = soft;
    (void)::setrlimit(resource_, &limit);
  }
  ~Limit() { (void)::setrlimit(resource_, &before_); }
  Limit(const Limit&) = delete;
  Limit& operator=(const Limit&) = delete;

 private:
  __rlimit_resource resource_;
  rlimit before_{};
};

TEST_F(CaptureTest, FullDiskMakesOutputWaitAndOthersGoOn) {
  create();
  Channel pipe = pipe_channel("p");
  Channel terminal = terminal_channel("t");
  Channel other = terminal_channel("o");
  std::string sent(4000, 'x');
  put(pipe.log, sent);
  put(terminal.log, sent);
  add(pipe, "p.1", false);
  add(terminal, "t.1", true);
  add(other, "o.1", true);
  {
    const Limit limit(RLIMIT_FSIZE, 4096);
    capture_->run();
    put(pipe.write, std::string(1000, 'y'));
    put(terminal.write, std::string(1000, 'y'));
    ASSERT_TRUE(wait_until([&] { return noted(stuck_, "p.1") && noted(stuck_, "t.1") && noted(lost_, "t.1"); }));
    put(other.write, "unmoved\n");
    EXPECT_TRUE(wait_until([&] { return content(other) == "unmoved\n"; })) << content(other);
    capture_->drain("t.1");
    EXPECT_FALSE(noted(drained_, "t.1"));
  }
  sent += std::string(1000, 'y');
  EXPECT_TRUE(wait_until([&] { return noted(freed_, "p.1") && noted(drained_, "t.1"); }));
  EXPECT_EQ(content(pipe), sent);
  EXPECT_EQ(content(terminal), sent);
  capture_.reset();  // its thread is done with the channels
}

TEST_F(CaptureTest, OthersWaitForTheCarryWhereDescriptorsRunOutToo) {
  create();
  Channel terminal = terminal_channel("t");
  Channel other = terminal_channel("o");
  put(terminal.log, std::string(4000, 'x'));
  add(terminal, "t.1", true);
  add(other, "o.1", true);
  {
    const Limit size(RLIMIT_FSIZE, 4096);
    const Limit descriptors(RLIMIT_NOFILE, 3);
    capture_->run();
    put(terminal.write, std::string(1000, 'y'));
    ASSERT_TRUE(wait_until([&] { return noted(stuck_, "t.1"); }));
    EXPECT_FALSE(noted(lost_, "t.1"));
    put(other.write, "unmoved\n");
  }
  EXPECT_TRUE(wait_until([&] { return content(other) == "unmoved\n"; })) << content(other);
  EXPECT_TRUE(noted(freed_, "t.1"));
  capture_.reset();
}

TEST_F(CaptureTest, NextRunsOutputWaitsForWhatTheOneBeforeLeft) {
  create();
  Channel first = pipe_channel("p");
  put(first.log, std::string(4000, 'x'));
  add(first, "p.1", false, "p");
  Channel second = pipe_channel("p");
  {
    const Limit limit(RLIMIT_FSIZE, 4096);
    capture_->run();
    put(first.write, std::string(1000, '1'));
    ASSERT_TRUE(wait_until([&] { return noted(stuck_, "p.1"); }));
    capture_->drain("p.1");
    add(second, "p.2", false, "p");
    put(second.write, std::string(500, '2'));
  }
  ASSERT_TRUE(wait_until([&] { return noted(drained_, "p.1"); }));
  second.write.reset();
  capture_->drain("p.2");
  ASSERT_TRUE(wait_until([&] { return noted(drained_, "p.2"); }));
  const std::string expected = std::string(4000, 'x') + std::string(1000, '1') + std::string(500, '2');
  EXPECT_EQ(content(first).size(), expected.size());
  EXPECT_TRUE(content(first) == expected);
}

TEST_F(CaptureTest, UnknownRunIsDrainedAtOnce) {
  create();
  capture_->run();
  capture_->drain("nobody.1");
  EXPECT_TRUE(wait_until([&] { return noted(drained_, "nobody.1"); }));
}

}  // namespace
}  // namespace usvc
