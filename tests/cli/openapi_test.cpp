// The description of the API that is installed, held against a running instance.
#include <filesystem>

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
  // As a client without any of usvc's code.
  json::value ask(const std::string& method, const std::string& target, const std::string& body = {}) {
    Args words = {"/usr/bin/env", "curl", "-sS", "-X", method, "--unix-socket", home() + "/usvc.sock"};
    if (!body.empty()) words.insert(words.end(), {"-d", body});
    words.push_back("http://usvc" + target);
    const Output output = run_program(words);
    std::error_code error;
    json::value answer = json::parse(output.out, error);
    if (error) ADD_FAILURE() << method << " " << target << ": " << output;
    return answer;
  }
  // The keys of `value` are those of the schema, in either direction; what is null has no keys to compare.
  void expect_shape(const json::value& value, const json::object& schema, const std::string& where) {
    if (value.is_null()) return;
    if (const auto* reference = schema.if_contains("$ref")) {
      const std::string name = std::string(reference->as_string()).substr(std::string("#/components/schemas/").size());
      return expect_shape(value, document_.at("components").at("schemas").at(name).as_object(), where + " " + name);
    }
    if (const auto* all = schema.if_contains("allOf")) {
      return expect_shape(value, all->as_array().at(0).as_object(), where);
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
    for (const auto& [key, member] : properties) {
      EXPECT_TRUE(value.get_object().contains(key)) << where << ": " << key << " does not come";
    }
  }
  void expect_answer(const std::string& method, const std::string& path, const std::string& target,
                     const std::string& body = {}) {
    const auto& operation = document_.at("paths").at(path).at(method == "GET"   ? "get"
                                                              : method == "PUT" ? "put"
                                                                                : "post");
    const auto& content = operation.at("responses").at("200").at("content").at("application/json");
    const json::value answer = ask(method, target, body);
    ASSERT_FALSE(answer.is_object() && answer.get_object().contains("error")) << path << json::serialize(answer);
    expect_shape(answer, content.at("schema").as_object(), method + " " + path);
  }

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
}

}  // namespace

}  // namespace usvc::test
