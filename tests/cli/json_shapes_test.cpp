// The documents of --json: keys and kinds of values, as the contract has them.
#include <sys/stat.h>

#include "cli/cli_test.h"

namespace usvc::test {

namespace {

using JsonShapesTest = CliTest;

// What a value may be: s(tring) n(umber) b(oolean) a(rray) o(bject) 0 (null).
bool is_one_of(const json::value& value, const std::string& kinds) {
  const char kind = value.is_string()   ? 's'
                    : value.is_number() ? 'n'
                    : value.is_bool()   ? 'b'
                    : value.is_array()  ? 'a'
                    : value.is_object() ? 'o'
                                        : '0';
  return contains(kinds, std::string(1, kind));
}

struct Key {
  const char* name;
  const char* kinds;
};

void expect_keys(const json::object& object, const std::vector<Key>& keys) {
  for (const auto& key : keys) {
    const auto* value = object.if_contains(key.name);
    ASSERT_NE(value, nullptr) << key.name << " is missing in " << json::serialize(object);
    EXPECT_TRUE(is_one_of(*value, key.kinds)) << key.name << " in " << json::serialize(object);
  }
}

const std::vector<Key> job_keys{
    {"name", "s"},           {"group", "s"},        {"state", "s"},      {"pid", "n0"},          {"cmd", "a"},
    {"deaths", "n"},         {"runs", "n"},         {"run_id", "s0"},    {"started_at", "n0"},   {"md5", "s0"},
    {"md5_changed", "b0"},   {"cpu_percent", "n0"}, {"mem_bytes", "n0"}, {"kernel_state", "s0"}, {"wanted", "b"},
    {"waiting_until", "n0"}, {"last_exit", "o0"},   {"tty", "b"},        {"log", "s"},
};

TEST_F(JsonShapesTest, StatusOfTheMachine) {
  const auto document = json({"status"}).as_object();
  expect_keys(document, {{"host", "o"}, {"jobs", "a"}});
  const auto& host = document.at("host").as_object();
  expect_keys(host, {{"name", "s"},
                     {"cores", "n"},
                     {"load", "a"},
                     {"mem_percent", "n"},
                     {"swap_percent", "n0"},
                     {"fds", "n"},
                     {"disks", "a"}});
  EXPECT_EQ(host.at("load").as_array().size(), 3U);
  EXPECT_GT(host.at("cores").to_number<int>(), 0);
  for (const auto& disk : host.at("disks").as_array()) {
    expect_keys(disk.as_object(), {{"mount", "s"}, {"percent", "n"}});
  }
}

TEST_F(JsonShapesTest, JobThatRuns) {
  start({"--name", "web", "--", probe(), "serve"});
  ASSERT_TRUE(wait_until(5s, [&] { return !text_of(status("web").raw, "md5").empty(); }));
  const auto job = status("web").raw;
  expect_keys(job, job_keys);
  expect_keys(job, {{"pid", "n"},
                    {"run_id", "s"},
                    {"started_at", "n"},
                    {"mem_bytes", "n"},
                    {"kernel_state", "s"},
                    {"waiting_until", "0"},
                    {"last_exit", "0"}});
  EXPECT_TRUE(job.at("started_at").is_double()) << "fractions of seconds are part of it";
}

TEST_F(JsonShapesTest, JobThatIsStopped) {
  start({"--name", "web", "--", probe(), "serve"});
  stop({"web"});
  const auto job = status("web").raw;
  expect_keys(job, job_keys);
  expect_keys(job, {{"pid", "0"}, {"mem_bytes", "0"}, {"kernel_state", "0"}, {"last_exit", "o"}});
  const auto& exit = job.at("last_exit").as_object();
  expect_keys(exit, {{"signal", "s"}, {"core", "b"}, {"ran", "n"}, {"at", "n"}});
  EXPECT_EQ(text_of(exit, "signal"), "TERM");
}

TEST_F(JsonShapesTest, JobThatWaits) {
  start({"--name", "bad", "--", probe(), "wait-file", path("go"), "--", "exit", "3"});
  write("go", "");
  ASSERT_TRUE(wait_state("bad", "waiting"));
  const auto job = status("bad").raw;
  expect_keys(job, job_keys);
  expect_keys(job, {{"waiting_until", "n"}, {"last_exit", "o"}, {"pid", "0"}});
  EXPECT_EQ(number_of(job.at("last_exit").as_object(), "code"), 3);
}

TEST_F(JsonShapesTest, SameKeysWithoutAnInstance) {
  start({"--name", "web", "--", probe(), "serve"});
  ok({"shutdown"});
  expect_keys(status("web").raw, job_keys);
}

TEST_F(JsonShapesTest, Vars) {
  start({"--name", "web", "--", probe(), "serve"});
  expect_keys(vars(), {{"version", "s"},
                       {"home", "s"},
                       {"socket", "s"},
                       {"tmux_socket", "s"},
                       {"jobs_dir", "s"},
                       {"logs_dir", "s"},
                       {"manager_pid", "n"},
                       {"keeper_pid", "n"}});
}

TEST_F(JsonShapesTest, Events) {
  start({"--name", "web", "--", probe(), "serve"});
  stop({"web"});
  for (const auto& event : events({"web"})) {
    expect_keys(event, {{"t", "n"}, {"job", "s"}, {"run_id", "s0"}, {"event", "s"}});
    if (text_of(event, "event") == "exited") {
      expect_keys(event, {{"core", "b"}, {"ran", "n"}, {"cpu", "n"}, {"max_rss_bytes", "n"}});
    }
  }
}

TEST_F(JsonShapesTest, EveryOtherCommandGivesOneDocument) {
  json({"start", "--name", "web", "--", probe(), "serve"});
  for (const Args& args : {Args{"jobs"},
                           Args{"pidof", "web"},
                           Args{"why", "web"},
                           Args{"conf", "web"},
                           Args{"conf", "web", "cmd"},
                           Args{"signal", "web", "CONT"},
                           Args{"restart", "web"},
                           Args{"wait", "web", "--for", "running"},
                           Args{"save", "-"},
                           Args{"save", path("set")},
                           Args{"load", "--dry-run", path("set")},
                           Args{"stop", "web"},
                           Args{"clean", "web"},
                           Args{"init"},
                           Args{"shutdown"},
                           Args{"help"},
                           Args{"help", "start"},
                           Args{"--help"},
                           Args{"stop", "--help"},
                           Args{"--version"},
                           Args{}}) {
    EXPECT_FALSE(json(args).is_null()) << (args.empty() ? "" : args[0]);
  }
}

TEST_F(JsonShapesTest, SetsAreTextOrInAFile) {
  start({"--name", "web", "--", probe(), "serve"});
  const auto saved = json({"save", path("set")}).as_object();
  EXPECT_EQ(text_of(saved, "file"), path("set"));
  EXPECT_TRUE(saved.at("text").is_null());
  const auto shown = json({"save", "-"}).as_object();
  EXPECT_TRUE(shown.at("file").is_null());
  EXPECT_EQ(text_of(shown, "text"), read(path("set")));
  write("ecosystem.json", "{\"apps\": [{\"script\": \"/bin/true\", \"time\": true}]}");
  const auto dry = json({"load", "--dry-run", path("ecosystem.json")}).as_object();
  EXPECT_TRUE(contains(text_of(dry, "text"), "cmd = /bin/true")) << dry;
  EXPECT_EQ(dry.at("remarks").as_array().size(), 1U) << dry;
}

TEST_F(JsonShapesTest, HelpAndVersion) {
  EXPECT_FALSE(text_of(json({"--version"}).as_object(), "version").empty());
  const auto listed = json({"help"}).at("commands").as_array();
  EXPECT_GT(listed.size(), 20U);
  const auto help = json({"help", "log"}).as_object();
  expect_keys(help, {{"name", "s"}, {"aliases", "a"}, {"arguments", "s"}, {"summary", "s"}, {"details", "s"}});
  const auto& option = help.at("options").as_array().front().as_object();
  EXPECT_EQ(text_of(option, "name"), "--follow");
  EXPECT_EQ(text_of(option, "letter"), "-f");
}

TEST_F(JsonShapesTest, RunSaysHowItEnded) {
  const Output output =
      run({"--json", "run", "--name", "web", "--", "/bin/sh", "-c", "echo out; echo err >&2; exit 3"});
  EXPECT_EQ(output.status, 3) << output;
  boost::system::error_code error;
  const auto document = json::parse(output.out, error);
  ASSERT_FALSE(error) << output;
  expect_keys(document.as_object(),
              {{"name", "s"}, {"run_id", "s"}, {"exit", "o"}, {"log", "s"}, {"output_missing", "b"}});
  EXPECT_EQ(document.at("exit").at("code").as_int64(), 3);
  EXPECT_EQ(output.err, "out\nerr\n");
}

TEST_F(JsonShapesTest, RunSaysWhatIsKnownWhereItsEndIsNot) {
  const auto running = launch({"--json", "run", "--name", "web", "--", probe(), "serve"});
  ASSERT_TRUE(wait_state("web", "running"));
  const pid_t job = pid_of("web");
  const pid_t keeper = keeper_pid();
  freeze(keeper);
  kill_hard(manager_pid());
  kill_hard(keeper);
  const Output output = running->finish(30s);
  EXPECT_EQ(output.status, 4) << output;
  boost::system::error_code error;
  const auto document = json::parse(output.out, error);
  ASSERT_FALSE(error) << output;
  expect_keys(document.as_object(),
              {{"name", "s"}, {"run_id", "s"}, {"exit", "0"}, {"log", "s"}, {"output_missing", "b"}});
  EXPECT_TRUE(contains(output.err, "no instance runs here")) << output;
  kill_hard(job);
}

TEST_F(JsonShapesTest, BytesThatAreNotUtf8AreEscapedAsInTheLog) {
  const std::string cwd = path("w\xe9 \\");
  ASSERT_EQ(::mkdir(cwd.c_str(), 0755), 0);
  start({"--name", "web", "--cwd", cwd, "--", probe(), "serve", "caf\xe9"});
  const auto job = status("web").raw;
  EXPECT_TRUE(job.at("escaped").as_bool());
  EXPECT_EQ(job.at("cmd").as_array().back().as_string(), "caf\\xe9");
  EXPECT_TRUE(text_of(job, "cwd").ends_with("/w\\xe9 \\\\")) << job;
  EXPECT_TRUE(json({"why", "web"}).at("job").at("escaped").as_bool());
  const auto args = json({"conf", "web", "arg"}).as_array();
  EXPECT_EQ(args.front().as_string(), "serve");
  EXPECT_EQ(args.back().at("text").as_string(), "caf\\xe9");
  // People and the programs of the job see the bytes.
  EXPECT_EQ(ok({"conf", "web", "cwd"}).out, cwd + "\n");
  const Output answer = run_program(
      {"/usr/bin/curl", "-s", "--unix-socket", text_of(vars(), "socket"), "http://usvc/v1/jobs?select=web"});
  boost::system::error_code error;
  const auto document = json::parse(answer.out, error);
  ASSERT_FALSE(error) << answer;
  EXPECT_TRUE(document.at("jobs").as_array().front().at("escaped").as_bool()) << answer;
}

TEST_F(JsonShapesTest, OptionMayStandBehindTheCommand) {
  start({"--name", "web", "--", probe(), "serve"});
  boost::system::error_code error;
  EXPECT_TRUE(json::parse(ok({"status", "--json"}).out, error).is_object());
}

}  // namespace

}  // namespace usvc::test
