// The description of the API that is installed, held against a running instance.
#include <csignal>
#include <filesystem>
#include <set>

#include "cli/cli_test.h"

namespace usvc::test {

namespace {

namespace fs = std::filesystem;

class OpenApiTest : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    const fs::path prefix = fs::path(program()).parent_path().parent_path();
    document_ = json::parse(read(prefix / "share/doc/usvc/openapi.json"));
  }
  // As a client without any of usvc's code. Null: no answer came.
  json::value ask(const std::string& method, const std::string& target, const std::string& body = {}) {
    Args words = {"/usr/bin/env", "curl", "-sS", "-X", method, "--unix-socket", home() + "/usvc.sock"};
    if (!body.empty()) words.insert(words.end(), {"-d", body});
    words.push_back("http://usvc" + target);
    const Output output = run_program(words);
    std::error_code error;
    json::value answer = json::parse(output.out, error);
    EXPECT_TRUE(!error || output.out.empty()) << method << " " << target << ": " << output;
    return answer;
  }
  enum class Keys { all, some };
  static bool is_of(const json::value& value, std::string_view type) {
    if (type == "string") return value.is_string();
    if (type == "boolean") return value.is_bool();
    if (type == "integer") return value.is_int64() || value.is_uint64();
    if (type == "number") return value.is_number();
    return type == "array" ? value.is_array() : value.is_object();
  }
  // The keys of `value` are those of the schema, in either direction unless only some need come, and of its types; what
  // is null has neither.
  void expect_shape(const json::value& value, const json::object& schema, const std::string& where,
                    Keys keys = Keys::all) {
    if (value.is_null()) return;
    if (const auto* type = schema.if_contains("type")) {
      EXPECT_TRUE(is_of(value, type->as_string())) << where << " is no " << *type << ": " << value;
    }
    if (const auto* reference = schema.if_contains("$ref")) {
      const std::string name = std::string(reference->as_string()).substr(std::string("#/components/schemas/").size());
      return expect_shape(value, document_.at("components").at("schemas").at(name).as_object(), where + " " + name,
                          keys);
    }
    if (const auto* all = schema.if_contains("allOf")) {
      return expect_shape(value, all->as_array().at(0).as_object(), where, keys);
    }
    if (value.is_array()) {
      for (const auto& member : value.get_array()) expect_shape(member, schema.at("items").as_object(), where);
      return;
    }
    if (!value.is_object()) return;
    const auto& properties = schema.at("properties").as_object();
    for (const auto& [key, member] : value.get_object()) {
      ASSERT_TRUE(properties.contains(key)) << where << ": " << key << " is not described";
      expect_shape(member, properties.at(key).as_object(), where + "." + std::string(key));
    }
    if (keys == Keys::some) return;
    for (const auto& [key, member] : properties) {
      EXPECT_TRUE(value.get_object().contains(key)) << where << ": " << key << " does not come";
    }
  }
  const json::object& operation(const std::string& method, const std::string& path) {
    const std::string word = method == "GET" ? "get" : method == "PUT" ? "put" : "post";
    tried_.emplace(word, path);
    return document_.at("paths").at(path).at(word).as_object();
  }
  static const json::object& schema_in(const json::value& part, const char* type = "application/json") {
    return part.at("content").at(type).at("schema").as_object();
  }
  void expect_answer(const std::string& method, const std::string& path, const std::string& target,
                     const std::string& body = {}) {
    const json::object& described = operation(method, path);
    if (!body.empty()) {
      expect_shape(json::parse(body), schema_in(described.at("requestBody")), "to " + path, Keys::some);
    }
    json::value answer;
    // An answer that is lost with the manager comes to whoever asks again.
    ASSERT_TRUE(wait_until(20s, [&] { return !(answer = ask(method, target, body)).is_null(); })) << target;
    ASSERT_FALSE(answer.is_object() && answer.get_object().contains("error")) << path << json::serialize(answer);
    expect_shape(answer, schema_in(described.at("responses").at("200")), method + " " + path);
  }
  void expect_events() {
    const json::object& described = operation("GET", "/v1/events");
    const json::object& schema = schema_in(described.at("responses").at("200"), "application/x-ndjson");
    const auto child = launch_program(
        {"/usr/bin/env", "curl", "-sSN", "--unix-socket", home() + "/usvc.sock", "http://usvc/v1/events?follow=1"});
    // What came before the address was asked is not told again.
    const auto some = [](const Output& output) { return lines_of(output.out).size() > 3; };
    const auto until = std::chrono::steady_clock::now() + 20s;
    while (!some(child->output()) && std::chrono::steady_clock::now() < until) {
      ok({"restart", "made"});
      (void)child->wait_output(100ms, some);
    }
    child->signal(SIGTERM);
    const auto lines = lines_of(child->finish(20s).out);
    EXPECT_GT(lines.size(), 3U);
    for (const auto& line : lines) expect_shape(json::parse(line), schema, "an event", Keys::some);
  }
  void expect_terminal(const std::string& job) {
    EXPECT_TRUE(operation("GET", "/v1/jobs/{name}/terminal").at("responses").as_object().contains("101"));
    const Output output = run_program(
        {"/usr/bin/env", "curl", "-sS", "-i", "-N", "--max-time", "2", "--unix-socket", home() + "/usvc.sock", "-H",
         "Connection: Upgrade", "-H", "Upgrade: websocket", "-H", "Sec-WebSocket-Version: 13", "-H",
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "http://usvc/v1/jobs/" + job + "/terminal?read-only=1"});
    EXPECT_TRUE(contains(output.out, "101 Switching Protocols")) << output;
  }
  void expect_all_tried() {
    for (const auto& [path, methods] : document_.at("paths").as_object()) {
      for (const auto& [method, described] : methods.as_object()) {
        EXPECT_TRUE(tried_.contains({std::string(method), std::string(path)})) << method << " " << path;
      }
    }
  }

  std::set<std::pair<std::string, std::string>> tried_;
  json::value document_;
};

TEST_F(OpenApiTest, AnswersHaveTheKeysThatAreDescribed) {
  start({"--name", "web", "--", probe(), "serve"});
  (void)run({"start", "--name", "bad", "--once", "--", probe(), "exit", "3"});
  ASSERT_TRUE(wait_state("bad", "stopped"));
  expect_answer("GET", "/v1/jobs", "/v1/jobs");
  expect_answer("GET", "/v1/vars", "/v1/vars");
  expect_answer("GET", "/v1/conf/{name}", "/v1/conf/web");
  expect_answer("GET", "/v1/save", "/v1/save");
  expect_answer("PUT", "/v1/conf/{name}", "/v1/conf/web", R"({"key":"k1","entry":"settle","value":"0.1"})");
  expect_answer("POST", "/v1/restart", "/v1/restart", R"({"key":"k2","selectors":["web"]})");
  expect_answer("POST", "/v1/signal", "/v1/signal", R"({"key":"k3","selectors":["web"],"signal":"CONT"})");
  expect_answer("POST", "/v1/stop", "/v1/stop", R"({"key":"k4","selectors":["web"]})");
  expect_answer("POST", "/v1/start", "/v1/start", R"({"key":"k5","selectors":["web"]})");
  expect_answer("POST", "/v1/rotate", "/v1/rotate", R"({"key":"k6","selectors":["web"]})");
  expect_answer("POST", "/v1/wait", "/v1/wait", R"({"selectors":["bad"],"condition":"exit"})");
  expect_answer("POST", "/v1/clean", "/v1/clean", R"({"key":"k7","selectors":["bad"]})");
  expect_answer("POST", "/v1/jobs", "/v1/jobs",
                R"({"key":"k8","name":"made","entries":[{"key":"cmd","value":")" + probe() +
                    R"("},{"key":"arg","value":"serve"}],"env":[]})");
  expect_shape(ask("GET", "/v1/conf/nobody"), document_.at("components").at("schemas").at("ErrorReply").as_object(),
               "a failure");
  EXPECT_EQ(status("made").state, "running");
  expect_answer("POST", "/v1/load", "/v1/load",
                R"({"key":"k9","text":"[group \"set\"]\n\tjob = set-1\n\tcmd = )" + probe() +
                    R"(\n\targ = serve\n","cwd":"/","env":[]})");
  expect_events();
  expect_terminal("made");
  expect_answer("POST", "/v1/upgrade", "/v1/upgrade",
                R"({"key":"k10","directory":")" +
                    (fs::path(program()).parent_path().parent_path() / "libexec/usvc").string() + R"("})");
  expect_answer("POST", "/v1/shutdown", "/v1/shutdown", R"({"key":"k11"})");
  expect_all_tried();
}

}  // namespace

}  // namespace usvc::test
