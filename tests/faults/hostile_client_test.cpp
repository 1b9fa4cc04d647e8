// Clients that mean no good, or are broken: they cost bounded memory, and nobody else waits for them.
#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "base/unix_socket.h"
#include "cli/cli_test.h"

namespace usvc::test {

namespace {

using namespace std::string_literals;

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

#ifdef USVC_SANITIZED
constexpr long spare_kb = 600L << 10U;  // what was freed is kept for a while
#else
constexpr long spare_kb = 140L << 10U;
#endif

// A connection that says exactly what it is told to.
class RawClient {
 public:
  explicit RawClient(const std::string& socket) {
    auto connected = connect_unix(socket);
    EXPECT_TRUE(connected) << (connected ? "" : connected.error().message());
    if (connected) socket_ = std::move(*connected);
  }
  // What of it was taken before the other side closed or had taken nothing for two seconds.
  std::size_t say(std::string_view text) const {
    std::size_t taken = 0;
    while (taken < text.size()) {
      pollfd writable{socket_.get(), POLLOUT, 0};
      if (poll(&writable, 1, 2000) <= 0) break;
      const ssize_t sent = send(socket_.get(), text.data() + taken, text.size() - taken, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent <= 0) break;
      taken += static_cast<std::size_t>(sent);
    }
    return taken;
  }
  // Until the other side has read all that was said.
  [[nodiscard]] bool heard() const {
    return wait_until(10s, [this] {
      int unread = 0;
      return ioctl(socket_.get(), SIOCOUTQ, &unread) != 0 || unread == 0;
    });
  }
  void end_own_side() const { shutdown(socket_.get(), SHUT_WR); }
  // Everything until `done` is in it, or the end.
  [[nodiscard]] std::string hear(milliseconds deadline, const std::string& done = "}") const {
    std::string text;
    std::array<char, 65536> bytes{};
    const auto end = Clock::now() + deadline;
    while (!contains(text, done)) {
      const auto left = std::chrono::duration_cast<milliseconds>(end - Clock::now()).count();
      pollfd readable{socket_.get(), POLLIN, 0};
      if (left <= 0 || poll(&readable, 1, static_cast<int>(left)) <= 0) break;
      const ssize_t got = recv(socket_.get(), bytes.data(), bytes.size(), 0);
      if (got <= 0) break;
      text.append(bytes.data(), static_cast<std::size_t>(got));
    }
    return text;
  }
  [[nodiscard]] bool hung_up() const {
    pollfd state{socket_.get(), 0, 0};
    return poll(&state, 1, 0) > 0 && (state.revents & (POLLHUP | POLLERR)) != 0;
  }

 private:
  Fd socket_;
};

std::string post(const std::string& path, const std::string& body) {
  return "POST " + path + " HTTP/1.1\r\nHost: u\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

class HostileClientTest : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_max < 1200) GTEST_SKIP() << "too few descriptors for many clients";
    start({"--name", "web", "--", probe(), "serve"});
    socket_ = text_of(vars(), "socket");
    manager_ = manager_pid();
    begin_kb_ = manager_kb();
    descriptors_ = descriptors();
  }
  void TearDown() override {
    clients_.clear();
    if (manager_ > 0) {
      EXPECT_EQ(manager_pid(), manager_) << "the manager did not live through it";
    }
    CliTest::TearDown();
  }
  RawClient& client() { return *clients_.emplace_back(std::make_unique<RawClient>(socket_)); }
  void clients(int number, const std::string& text) {
    for (int i = 0; i < number; ++i) client().say(text);
  }
  std::string answer_to(const std::string& text) const {
    const RawClient one(socket_);
    one.say(text);
    return one.hear(10s);
  }
  // The length that an answer's head says.
  std::size_t length_of_answer_to(const std::string& text) const {
    const std::string answer = answer_to(text);
    const auto at = answer.find("Content-Length: ");
    return at == std::string::npos ? 0 : std::stoul(answer.substr(at + 16));
  }
  void expect_service() {
    const Output output = run({"jobs"}, {.deadline = 15s});
    EXPECT_EQ(output.status, 0) << output;
    EXPECT_EQ(lines_of(output.out).back(), "web") << output;
    EXPECT_EQ(output.err, "") << output;
  }
  long manager_kb() const {
    std::ifstream status("/proc/" + std::to_string(manager_) + "/status");
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with("VmRSS:")) return std::stol(line.substr(6));
    }
    return 0;
  }
  void expect_little_memory() const { EXPECT_LT(manager_kb(), begin_kb_ + spare_kb); }
  std::size_t descriptors() const {
    const fs::directory_iterator open("/proc/" + std::to_string(manager_) + "/fd");
    return static_cast<std::size_t>(std::distance(begin(open), end(open)));
  }
  void expect_places_free() const {
    EXPECT_TRUE(wait_until(10s, [&] { return descriptors() <= descriptors_ + 4; })) << descriptors();
  }

  std::vector<std::unique_ptr<RawClient>> clients_;
  std::string socket_;
  pid_t manager_ = 0;

 private:
  long begin_kb_ = 0;
  std::size_t descriptors_ = 0;
};

TEST_F(HostileClientTest, HalfRequestsAreInNobodysWay) {
  clients(300, "GET /v1/jo");
  clients(300, "POST /v1/stop HTTP/1.1\r\nContent-Length: 100\r\n\r\n{\"sel");
  for (int i = 0; i < 3; ++i) expect_service();
  expect_little_memory();
  clients_.clear();
  expect_places_free();
}

TEST_F(HostileClientTest, IdleConnectionsGiveWay) {
  clients(200, "");
  for (int i = 0; i < 3; ++i) expect_service();
  EXPECT_FALSE(clients_.front()->hung_up()) << "there was room enough";
  clients(400, "");
  for (int i = 0; i < 3; ++i) expect_service();
  EXPECT_TRUE(clients_.front()->hung_up()) << "the oldest one was to give way";
  EXPECT_FALSE(clients_.back()->hung_up());
  expect_little_memory();
}

TEST_F(HostileClientTest, WhereAllAreBusyTheNextIsTold) {
  const std::string follow = "GET /v1/events?follow=1 HTTP/1.1\r\nHost: u\r\n\r\n";
  clients(512, follow);
  for (const auto& one : clients_) ASSERT_TRUE(contains(one->hear(10s, "\r\n\r\n"), " 200 "));
  const std::string refused = answer_to("GET /v1/jobs HTTP/1.1\r\nHost: u\r\n\r\n");
  EXPECT_TRUE(contains(refused, " 503 ")) << refused;
  EXPECT_TRUE(contains(refused, "\"error\":{\"message\":")) << refused;
  const Output output = fails(4, {"jobs"});
  EXPECT_TRUE(contains(output.err, "connections")) << output;
  clients_.clear();
  expect_places_free();
  expect_service();
}

TEST_F(HostileClientTest, EndlessHeadersAreRefused) {
  const std::string line = "X-Filler: " + std::string(1000, 'x') + "\r\n";
  std::string block;
  for (int i = 0; i < 200; ++i) block += line;
  for (int i = 0; i < 20; ++i) {
    RawClient& one = client();
    one.say("GET /v1/jobs HTTP/1.1\r\n");
    std::size_t taken = 0;
    for (std::size_t sent = block.size(); sent == block.size() && taken < (32U << 20U); taken += sent) {
      sent = one.say(block);
    }
    EXPECT_LT(taken, 4U << 20U);
  }
  expect_service();
  expect_little_memory();
}

TEST_F(HostileClientTest, EndlessBodiesAreRefused) {
  const std::string piece = "10000\r\n" + std::string(65536, ' ') + "\r\n";
  for (int i = 0; i < 4; ++i) {
    RawClient& one = client();
    one.say("POST /v1/stop HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
    std::size_t taken = 0;
    for (std::size_t sent = piece.size(); sent == piece.size() && taken < (64U << 20U); taken += sent) {
      sent = one.say(piece);
    }
    EXPECT_LT(taken, 20U << 20U);
  }
  const std::string answer = answer_to("POST /v1/stop HTTP/1.1\r\nContent-Length: 999999999999\r\n\r\n{");
  EXPECT_TRUE(contains(answer, " 413 ")) << answer;
  EXPECT_TRUE(contains(answer, "too large")) << answer;
  expect_service();
  expect_little_memory();
}

TEST_F(HostileClientTest, LargeBodiesThatNeverEndHoldNobodyUp) {
  const std::string head = "POST /v1/stop HTTP/1.1\r\nContent-Length: 16000000\r\n\r\n";
  const std::string most(8'000'000, ' ');
  for (int i = 0; i < 12; ++i) {
    client().say(head);
    clients_.back()->say(std::string_view(most).substr(0, i < 4 ? most.size() : 100'000));
  }
  expect_little_memory();
  // One that is in order, and large.
  Args args = {"start", "--name", "large", "--", probe(), "serve", "--"};
  for (int i = 0; i < 8; ++i) args.emplace_back(100'000, 'x');
  ok(args, {.deadline = 20s});
  expect_service();
}

TEST_F(HostileClientTest, WhatIsNoProperRequestIsRefused) {
  std::string deep(100'000, '[');
  deep += std::string(100'000, ']');
  std::string deep_objects;
  for (int i = 0; i < 100'000; ++i) deep_objects += "{\"a\":";
  const std::string bodies[] = {
      deep,
      deep_objects,
      "{\"selectors\":" + deep + "}",
      "",
      "{",
      "null",
      "\"\xff\xfe\"",
      "{\"selectors\":[\"\xc3\x28\"]}",
      "{\"selectors\":[1e999]}",
      "{\"selectors\":[\"web\"],\"rolling\":1e400}",
      "{\"key\":12345678901234567890123456789012345678901234567890,\"selectors\":[\"web\"]}",
      "{\"key\":\"" + std::string(65, 'k') + "\",\"selectors\":[\"web\"]}",
      "{\"selectors\":[\"" + std::string(100'000, '*') + "x\"]}",
      "{\"selectors\":[\"web\0\"]}"s,
  };
  for (const auto& body : bodies) {
    for (const char* path : {"/v1/stop", "/v1/restart", "/v1/clean", "/v1/signal", "/v1/jobs"}) {
      const std::string answer = answer_to(post(path, body));
      EXPECT_TRUE(contains(answer, "HTTP/1.1 4")) << path << " " << body.substr(0, 80) << "\n" << answer;
      EXPECT_TRUE(contains(answer, "\"error\":")) << path << " " << body.substr(0, 80) << "\n" << answer;
    }
  }
  EXPECT_EQ(status("web").state, "running");
  expect_little_memory();
}

TEST_F(HostileClientTest, ChunksThatComeByteByByteAreTaken) {
  const RawClient one(socket_);
  one.say("POST /v1/stop HTTP/1.1\r\nHost: u\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (const char byte : "2;x\r\n{}\r\n0;y=1\r\nTrailer: z\r\n\r\n"s) {
    one.say(std::string(1, byte));
    ASSERT_TRUE(one.heard());
  }
  const std::string answer = one.hear(10s);
  EXPECT_TRUE(contains(answer, "200 OK")) << answer;
  expect_service();
}

TEST_F(HostileClientTest, LastChunkThatComesByteByByteIsTaken) {
  const RawClient one(socket_);
  one.say("POST /v1/stop HTTP/1.1\r\nHost: u\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (const char byte : "0\r\n\r\n"s) {
    one.say(std::string(1, byte));
    ASSERT_TRUE(one.heard());
  }
  EXPECT_TRUE(contains(one.hear(10s), "400 Bad Request"));
  expect_service();
}

TEST_F(HostileClientTest, HugeNumbersAreBounded) {
  for (const char* number : {"1e308", "1e999", "-1e999", "99999999999999999999999", "-0"}) {
    const std::string wait = R"({"selectors":["web"],"condition":"running","timeout_seconds":)" + std::string(number);
    const std::string answer = answer_to(post("/v1/wait", wait + "}"));
    EXPECT_TRUE(contains(answer, " 200 ") || contains(answer, " 400 ")) << number << answer;
    const std::string copies = R"({"key":"k","entries":[{"key":"cmd","value":"/bin/true"}],"copies":)";
    const std::string refused = answer_to(post("/v1/jobs", copies + number + "}"));
    EXPECT_TRUE(contains(refused, " 400 ")) << number << refused;
  }
  EXPECT_EQ(names({}), Args{"web"});
}

TEST_F(HostileClientTest, LongestKeyIsTaken) {
  const std::string body = "{\"key\":\"" + std::string(64, 'k') + "\",\"selectors\":[\"web\"]}";
  EXPECT_TRUE(contains(answer_to(post("/v1/stop", body)), " 200 "));
}

TEST_F(HostileClientTest, ManySelectorsCostOneMatchEach) {
  std::string all;
  for (int i = 0; i < 20'000; ++i) all += i == 0 ? "\"all\"" : ",\"all\"";
  EXPECT_TRUE(contains(answer_to(post("/v1/stop", "{\"selectors\":[" + all + "]}")), " 200 "));
  EXPECT_TRUE(contains(answer_to(post("/v1/stop", "{\"selectors\":[" + all + ",\"all\"]}")), " 400 "));
  expect_little_memory();
}

TEST_F(HostileClientTest, AnswersThatNobodyReadsAreBounded) {
  // An answer of some 6 MB.
  for (int i = 1; i <= 300; ++i) {
    write(conf_path("fat-" + std::to_string(i)),
          "[core]\n\tcmd = /bin/true\n\targ = " + std::string(20'000, 'x') + "\n", 0600);
  }
  ok({"restart", "web"});  // which looks for new ones
  ASSERT_GT(length_of_answer_to("GET /v1/jobs HTTP/1.1\r\nHost: u\r\n\r\n"), 5'000'000U);
  clients(30, "GET /v1/jobs HTTP/1.1\r\nHost: u\r\n\r\n");
  // Each of them costs processor time, so that it may take a moment on a busy machine.
  EXPECT_TRUE(wait_until(20s, [&] {
    const Output output = run({"jobs"});
    return output.status == 0 && output.err.empty();
  }));
  expect_little_memory();
}

TEST_F(HostileClientTest, FollowersThatDoNotReadAreInNobodysWay) {
  clients(100, "GET /v1/events?follow=1 HTTP/1.1\r\nHost: u\r\n\r\n");
  auto follower = launch({"events", "-f"});
  // Those that have ended already when they are looked at are told as failures.
  (void)run({"start", "-n", "20", "-g", "loop", "--no-runaway-protect", "--settle", "0", "--", probe(), "exit", "3"});
  EXPECT_TRUE(follower->wait_output(20s, [](const Output& output) { return count_of(output.out, "exit 3") > 300; }));
  expect_service();
  stop({"loop"});
  expect_little_memory();
}

TEST_F(HostileClientTest, ClientsThatGoAwayLeaveNothing) {
  start({"--name", "slow", "--stop-timeout", "2", "--", probe(), "ignore", "TERM", "--", "serve"});
  start({"--name", "held", "--", probe(), "serve"});
  stop({"held"});
  ok({"conf", "held", "pre-cmd", "sleep 1000"});
  for (int round = 0; round < 6; ++round) {
    clients(50, post("/v1/wait", R"({"selectors":["web"],"condition":"stopped"})"));
    clients(25, post("/v1/stop", R"({"selectors":["slow"]})"));
    clients(25, post("/v1/start", R"({"selectors":["held"]})"));
    // What nobody waits for any more when it is come to is not begun.
    EXPECT_TRUE(wait_until(15s, [&] { return !status("slow").wanted && status("held").wanted; }));
    clients_.clear();
    expect_service();
  }
  expect_places_free();
  EXPECT_TRUE(wait_state("slow", "stopped", 15s)) << "what was begun is done all the same";
  EXPECT_EQ(status("held").state, "pre-run");
  EXPECT_EQ(status("web").state, "running");
  stop({"held"});
  expect_little_memory();
}

TEST_F(HostileClientTest, ClientThatHasOnlyEndedItsOwnSideIsAnswered) {
  start({"--name", "brief", "-1", "--", probe(), "sleep", "1500"});
  const RawClient& one = client();
  one.say(post("/v1/wait", R"({"selectors":["brief"],"condition":"exit"})"));
  one.end_own_side();
  const std::string answer = one.hear(10s);
  EXPECT_TRUE(contains(answer, " 200 ")) << answer;
  EXPECT_TRUE(contains(answer, "\"reached\":true")) << answer;
}

TEST_F(HostileClientTest, ShutdownGoesOnWithoutItsClient) {
  start({"--name", "slow", "--stop-timeout", "1", "--", probe(), "ignore", "TERM", "--", "serve"});
  client().say(post("/v1/shutdown", "{}"));
  EXPECT_TRUE(wait_state("slow", "stopping", 10s));
  clients_.clear();
  manager_ = 0;
  EXPECT_TRUE(wait_until(15s, [&] { return own_processes().empty(); })) << list(own_processes());
}

std::string terminal_of(const std::string& job) {
  return "GET /v1/jobs/" + job +
         "/terminal HTTP/1.1\r\nHost: u\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n";
}

enum class Frame : unsigned char { text = 0x81, binary = 0x82, close = 0x88, ping = 0x89 };

// One of a client's, whose mask changes nothing.
std::string frame(Frame kind, const std::string& payload) {
  const std::size_t size = payload.size();
  std::string bytes = {static_cast<char>(kind)};
  if (size < 126) {
    bytes += static_cast<char>(0x80U | size);
  } else {
    bytes += "\xff"s + "\0\0\0\0"s;
    for (unsigned shift = 32; shift > 0; shift -= 8) bytes += static_cast<char>((size >> (shift - 8)) & 0xffU);
  }
  return bytes + "\0\0\0\0"s + payload;
}

TEST_F(HostileClientTest, BrokenViewersAreHungUpOn) {
  std::string deep(3000, '[');
  const std::string bad[] = {frame(Frame::text, "{"),
                             frame(Frame::text, deep),
                             frame(Frame::text, "[]"),
                             frame(Frame::text, "{\"rows\":\"many\"}"),
                             frame(Frame::text, "{\"ask\":" + std::string(5000, '1') + "}"),
                             frame(Frame::text, "\xff\xfe"),
                             frame(Frame::binary, std::string(100'000, 'x')),
                             "\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0\0"s,
                             "\x82\x05unmasked",
                             "\xf2\x80\0\0\0\0"s,
                             "GET /v1/jobs HTTP/1.1\r\n\r\n"};
  for (const auto& bytes : bad) {
    RawClient& one = client();
    one.say(terminal_of("web"));
    ASSERT_TRUE(contains(one.hear(10s, "\"removed\":false}"), " 101 "));
    one.say(bytes);
  }
  for (const auto& one : clients_) EXPECT_TRUE(wait_until(25s, [&] { return one->hung_up(); }));
  for (const auto* size : {"{\"rows\":0,\"columns\":80}", "{\"rows\":-1,\"columns\":99999999}", "{\"rows\":5}"}) {
    RawClient& one = client();
    one.say(terminal_of("web"));
    ASSERT_TRUE(contains(one.hear(10s, "\"removed\":false}"), " 101 "));
    one.say(frame(Frame::text, size));
    EXPECT_TRUE(contains(one.hear(10s, "\"removed\":false}"), "\"rows\":24,\"columns\":80")) << size;
  }
  EXPECT_TRUE(contains(answer_to(terminal_of("nobody")), " 404 "));
  EXPECT_TRUE(contains(answer_to("GET /v1/jobs/web/terminal HTTP/1.1\r\nHost: u\r\n\r\n"), " 400 "));
  EXPECT_TRUE(contains(answer_to("GET /v1/jobs/web/other HTTP/1.1\r\nHost: u\r\n\r\n"), " 404 "));
  expect_service();
  clients_.clear();
  expect_places_free();
}

TEST_F(HostileClientTest, ViewersThatTakeNothingLeaveOthersTheirPlaces) {
  clients(300, terminal_of("web"));
  std::size_t accepted = 0;
  for (const auto& one : clients_) accepted += contains(one->hear(10s, "\r\n\r\n"), " 101 ") ? 1 : 0;
  EXPECT_EQ(accepted, 256U);
  for (int i = 0; i < 20; ++i) {
    for (const auto& one : clients_) one->say(frame(Frame::text, "{\"ask\":" + std::to_string(i) + "}"));
  }
  expect_service();
  expect_little_memory();
  clients_.clear();
  expect_places_free();
}

TEST_F(HostileClientTest, WhatNobodyReadsIsNotTakenForEver) {
  RawClient& flood = client();
  flood.say(terminal_of("web"));
  ASSERT_TRUE(contains(flood.hear(10s, "\"removed\":false}"), " 101 "));
  flood.say(frame(Frame::text, "{\"redraw\":true}"));
  const std::string piece = frame(Frame::binary, std::string(60'000, 'x'));
  std::size_t taken = 0;
  for (std::size_t sent = piece.size(); sent == piece.size() && taken < (32U << 20U); taken += sent) {
    sent = flood.say(piece);
  }
  EXPECT_LT(taken, 4U << 20U) << "the job does not read its terminal";
  RawClient& other = client();
  other.say(terminal_of("web"));
  EXPECT_TRUE(contains(other.hear(10s, "\"removed\":false}"), "\"state\":\"running\""));
  expect_service();
  expect_little_memory();
  clients_.clear();
  expect_places_free();
}

}  // namespace

}  // namespace usvc::test
