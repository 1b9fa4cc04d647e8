// Programs that people really run: started, answering, killed, back on the same port, reloaded, stopped, nothing left.
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "cli/cgroup.h"
#include "cli/cli_test.h"
#include "cli/network.h"

namespace usvc::test {

namespace {

class RealProgramsTest : public CliTest {
 protected:
  bool answers(const std::string& expected, milliseconds deadline = 15s) {
    return wait_until(deadline, [&] { return contains(http_get(port_).value_or(""), expected); });
  }
  std::string port_text() const { return std::to_string(port_); }

  // Killed hard, it must come back and answer on the same port.
  void kill_and_see_it_return(const std::string& job, const std::function<bool()>& answers_again) {
    const pid_t before = pid_of(job);
    kill_hard(before);
    ASSERT_GT(wait_new_pid(job, before, 20s), 0) << log_text(job);
    EXPECT_TRUE(answers_again()) << log_text(job);
    EXPECT_EQ(status(job).deaths, 1) << log_text(job);
  }
  void stop_and_see_nothing_left(const std::string& job) {
    stop({job});
    EXPECT_TRUE(job_processes().empty()) << list(job_processes());
    EXPECT_FALSE(talk(port_, "").has_value()) << "the port is still open";
  }

  const int port_ = free_port();
};

TEST_F(RealProgramsTest, PythonHttpServer) {
  if (!exists("/usr/bin/python3")) GTEST_SKIP() << "python3 is not installed";
  write("hello.txt", "hello from python\n");
  start({"--name", "py", "--", "/usr/bin/python3", "-m", "http.server", port_text(), "--bind", "127.0.0.1"});
  const auto answers_it = [&] {
    return wait_until(15s, [&] { return http_get(port_, "/hello.txt") == "hello from python\n"; });
  };
  ASSERT_TRUE(answers_it()) << log_text("py");
  EXPECT_TRUE(wait_log("py", "GET /hello.txt"));
  kill_and_see_it_return("py", answers_it);
  stop_and_see_nothing_left("py");
}

TEST_F(RealProgramsTest, RedisServer) {
  if (!exists("/usr/bin/redis-server")) GTEST_SKIP() << "redis-server is not installed";
  start({"--name", "redis", "--", "/usr/bin/redis-server", "--port", port_text(), "--bind", "127.0.0.1", "--save", "",
         "--dir", directory()});
  const auto answers_it = [&] {
    return wait_until(15s, [&] { return talk(port_, "PING\r\n", "+PONG").value_or("") == "+PONG\r\n"; });
  };
  ASSERT_TRUE(answers_it()) << log_text("redis");
  kill_and_see_it_return("redis", answers_it);
  stop_and_see_nothing_left("redis");
  EXPECT_TRUE(contains(log_text("redis"), "bye bye")) << "it was not asked to go";
}

class NginxTest : public RealProgramsTest {
 protected:
  void SetUp() override {
    if (!exists("/usr/sbin/nginx")) GTEST_SKIP() << "nginx is not installed";
    RealProgramsTest::SetUp();
  }
  // Its command line; what it answers and whether it goes to the background by itself are in the conf.
  Args nginx(const std::string& answer, bool daemonizes) {
    std::string conf = daemonizes ? "daemon on;\n" : "daemon off;\n";
    if (geteuid() == 0) conf += "user root;\n";
    conf += "worker_processes 2;\npid " + path("nginx.pid") + ";\nerror_log " + path("nginx-error.log") +
            ";\nevents {}\nhttp {\n  access_log off;\n";
    for (const char* what : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"}) {
      conf += std::string("  ") + what + "_temp_path " + path(std::string("nginx-") + what) + ";\n";
    }
    conf += "  server {\n    listen 127.0.0.1:" + port_text() + ";\n    location / { return 200 \"" + answer +
            "\\n\"; }\n  }\n}\n";
    return {"/usr/sbin/nginx", "-p", directory(), "-c", write("nginx.conf", conf), "-e", path("nginx-error.log")};
  }
};

TEST_F(NginxTest, InTheForeground) {
  Args args{"--name", "nginx", "--"};
  const Args command = nginx("first answer", false);
  args.insert(args.end(), command.begin(), command.end());
  start(args);
  ASSERT_TRUE(answers("first answer")) << log_text("nginx");
  // Its workers live on and hold the port, unless they are found.
  kill_and_see_it_return("nginx", [&] { return answers("first answer"); });
  const pid_t master = pid_of("nginx");
  nginx("second answer", false);
  ok({"signal", "nginx", "HUP"});
  EXPECT_TRUE(answers("second answer"));
  EXPECT_EQ(pid_of("nginx"), master);
  stop_and_see_nothing_left("nginx");
}

// A script that starts the daemon and stays, as many do. nginx overwrites the memory its environment was in, so that
// only a cgroup or a subreaper can tell whose it is.
class NginxDaemonTest : public NginxTest {
 protected:
  std::string script() {
    std::string line;
    for (const auto& word : nginx("an answer", true)) line += word + " ";
    return write("serve.sh", "#!/bin/sh\n" + line + "&& exec tail -n +1 -F " + path("nginx-error.log") + "\n", 0755);
  }
  pid_t daemon() { return std::atoi(read(path("nginx.pid")).c_str()); }
};

TEST_F(NginxDaemonTest, InACgroup) {
  const OwnCgroup cgroup(std::filesystem::path(directory()).filename());
  if (!cgroup.why_not().empty()) GTEST_SKIP() << cgroup.why_not();
  environment()["USVC_CGROUP"] = cgroup.path();
  start({"--name", "nginx", "--", script()});
  ASSERT_TRUE(answers("an answer")) << log_text("nginx");
  const pid_t first = daemon();
  kill_and_see_it_return("nginx", [&] { return answers("an answer"); });
  expect_gone(first, "the first run's daemon");
  EXPECT_TRUE(wait_until(5s, [&] { return alive(daemon()); })) << "another one must hold the port now";
  stop_and_see_nothing_left("nginx");
  ok({"shutdown"});
}

TEST_F(NginxDaemonTest, UnderASubreaper) {
  start({"--name", "nginx", "--tree", "subreaper", "--", script()});
  ASSERT_TRUE(answers("an answer")) << log_text("nginx");
  ok({"restart", "nginx"});
  EXPECT_TRUE(answers("an answer")) << log_text("nginx");
  stop_and_see_nothing_left("nginx");
}

TEST_F(NginxDaemonTest, WithNeitherItIsNamedAsEscaped) {
  start({"--name", "nginx", "--tree", "proc", "--", script()});
  ASSERT_TRUE(answers("an answer")) << log_text("nginx");
  const pid_t escaped = daemon();
  kill_hard(pid_of("nginx"));
  const auto told = [&] { return contains(ok({"events"}).out, std::to_string(escaped)); };
  EXPECT_TRUE(wait_until(10s, [&] { return !alive(escaped) || told(); })) << ok({"events"}).out;
  stop({"nginx"});
  if (alive(escaped)) ::kill(escaped, SIGTERM);
}

TEST_F(NginxDaemonTest, ByItselfLeavesNothing) {
  Args args{"--name", "nginx", "--once", "--"};
  const Args command = nginx("an answer", true);
  args.insert(args.end(), command.begin(), command.end());
  start(args);
  ASSERT_TRUE(wait_state("nginx", "stopped"));
  EXPECT_EQ(status("nginx").exit_code, 0) << log_text("nginx");
  EXPECT_TRUE(wait_until(5s, [&] { return job_processes().empty(); })) << list(job_processes());
  EXPECT_FALSE(talk(port_, "").has_value()) << "the port is still open";
}

}  // namespace

}  // namespace usvc::test
