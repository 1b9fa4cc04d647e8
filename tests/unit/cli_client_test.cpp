#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <thread>

#include "base/files.h"
#include "cli/client.h"
#include "cli/offline.h"
#include "cli/remote.h"
#include "unit/temporary_directory.h"

namespace usvc {
namespace {

const Silence give_up{std::chrono::seconds(1), [] { return false; }};

// Answers one connection with fixed bytes and keeps what was asked; before that it hangs up on so many.
class OneAnswer {
 public:
  OneAnswer(std::string path, std::string answer, int hang_ups = 0) : answer_(std::move(answer)), hang_ups_(hang_ups) {
    // By way of the directory: the path may be longer than an address can be.
    const std::size_t slash = path.rfind('/');
    const Fd directory(::open(path.substr(0, slash).c_str(), O_PATH | O_CLOEXEC));
    const std::string name = "/proc/self/fd/" + std::to_string(directory.get()) + path.substr(slash);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    name.copy(address.sun_path, sizeof(address.sun_path) - 1);
    listener_ = Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(listener_.get(), 4), 0);
    thread_ = std::jthread([this] { serve(); });
  }
  const std::string& question() {
    thread_.join();
    return question_;
  }

 private:
  void serve() {
    for (int i = 0; i < hang_ups_; ++i) const Fd refused(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    const Fd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    std::array<char, 4096> bytes;
    while (question_.find("\r\n\r\n{}") == std::string::npos && !question_.ends_with("\r\n\r\n")) {
      const ssize_t got = ::read(client.get(), bytes.data(), bytes.size());
      if (got <= 0) return;
      question_.append(bytes.data(), static_cast<std::size_t>(got));
    }
    EXPECT_TRUE(write_all(client, answer_));
  }

  std::string answer_;
  int hang_ups_;
  std::string question_;
  Fd listener_;
  std::jthread thread_;
};

class CliClient : public testing::Test {
 protected:
  TemporaryDirectory directory_;
  const std::string dir_ = directory_.path();
};

TEST_F(CliClient, AsksAndReadsTheAnswer) {
  OneAnswer server(dir_ + "/s", "HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nhello");
  const auto connection = connect_unix(dir_ + "/s");
  ASSERT_TRUE(connection) << connection.error().message();
  const auto reply = exchange(*connection, Question{"GET", "/v1/jobs?select=a%20b", ""}, give_up);
  ASSERT_TRUE(reply) << reply.error().message();
  EXPECT_EQ(reply->status, 404U);
  EXPECT_EQ(reply->body, "hello");
  EXPECT_TRUE(server.question().starts_with("GET /v1/jobs?select=a%20b HTTP/1.1\r\n")) << server.question();
}

TEST_F(CliClient, ReachesASocketWithALongPath) {
  std::string deep = dir_;
  for (int i = 0; i < 5; ++i) {
    deep += "/" + std::string(40, 'd');
    ASSERT_EQ(::mkdir(deep.c_str(), 0700), 0);
  }
  OneAnswer server(deep + "/usvc.sock", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
  const auto connection = connect_unix(deep + "/usvc.sock");
  ASSERT_TRUE(connection) << connection.error().message();
  const auto reply = exchange(*connection, Question{"POST", "/v1/stop", "{}"}, give_up);
  ASSERT_TRUE(reply) << reply.error().message();
  EXPECT_EQ(reply->status, 200U);
  EXPECT_NE(server.question().find("Content-Length: 2\r\n"), std::string::npos);
}

TEST_F(CliClient, TellsWhyThereIsNoConnection) {
  EXPECT_EQ(connect_unix(dir_ + "/none").error().code(), ENOENT);
  ASSERT_TRUE(write_file_atomically(dir_ + "/file", ""));
  EXPECT_EQ(connect_unix(dir_ + "/file").error().code(), ECONNREFUSED);
}

TEST_F(CliClient, ACutAnswerIsNoAnswer) {
  OneAnswer server(dir_ + "/s", "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhel");
  const auto connection = connect_unix(dir_ + "/s");
  ASSERT_TRUE(connection);
  const auto reply = exchange(*connection, Question{"GET", "/", ""}, give_up);
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().kind(), ErrorKind::unreachable);
}

TEST_F(CliClient, SilenceEndsWhenNobodyGoesOn) {
  const Fd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  (dir_ + "/s").copy(address.sun_path, sizeof(address.sun_path) - 1);
  ASSERT_EQ(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(listener.get(), 4), 0);
  const auto connection = connect_unix(dir_ + "/s");
  ASSERT_TRUE(connection);
  int asked = 0;
  const Silence once_more{std::chrono::seconds(1), [&] { return ++asked < 2; }};
  const auto reply = exchange(*connection, Question{"GET", "/", ""}, once_more);
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code(), ETIMEDOUT) << reply.error().message();
  EXPECT_EQ(asked, 2);
}

TEST_F(CliClient, VarsAreToldAtOnceOrAwaited) {
  Context context;
  context.layout.home = dir_;
  context.layout.lock = dir_ + "/lock";
  context.layout.socket = dir_ + "/s";
  const auto lock = lock_directory(dir_, context.layout.lock, LOCK_EX);  // an instance's
  ASSERT_TRUE(lock) << lock.error().message();
  const std::string body = R"({"version":"1","home":"","socket":"","tmux_socket":"","jobs_dir":"","logs_dir":"",)"
                           R"("journal_dir":"","work_dir":"","settings":"","instance_log":""})";
  const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  const OneAnswer server(dir_ + "/s", answer, 2);
  EXPECT_FALSE(Remote(context, NoInstance::refuse).vars());
  const auto vars = Remote(context, NoInstance::refuse).await_vars();
  ASSERT_TRUE(vars) << vars.error().message();
  EXPECT_EQ(vars->version, "1");
}

TEST(CliEncode, PercentEncodesWords) {
  const std::pair<std::string, std::string> cases[] = {{"web-1", "web-1"},
                                                       {"a b", "a%20b"},
                                                       {"web-*", "web-%2A"},
                                                       {"a/b?c&d", "a%2Fb%3Fc%26d"},
                                                       {"state:dead", "state%3Adead"},
                                                       {"\xff\n", "%FF%0A"}};
  for (const auto& [word, encoded] : cases) EXPECT_EQ(percent_encode(word), encoded);
}

TEST(CliOffline, Answer) {
  const auto good = parse_offline_answer("404\n{\"error\":1}");
  ASSERT_TRUE(good);
  EXPECT_EQ(good->status, 404U);
  EXPECT_EQ(good->body, "{\"error\":1}");
  for (const char* text : {"", "200", "abc\n{}", "99\n{}", "\n{}"}) EXPECT_FALSE(parse_offline_answer(text)) << text;
}

}  // namespace
}  // namespace usvc
