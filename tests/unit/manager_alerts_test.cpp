#include <gtest/gtest.h>

#include <algorithm>

#include "manager/alerts.h"

namespace usvc {
namespace {

AlertFacts alert_facts() {
  AlertFacts facts;
  facts.job = "web-1";
  facts.group = "web";
  facts.host = "box";
  facts.run_id = "web-1.3.0123abcd";
  facts.text = "killed by SEGV, core dumped after 2s";
  facts.signal = "SEGV";
  facts.core = true;
  facts.ran = 2;
  facts.deaths = 3;
  facts.held_back = 4;
  facts.last_lines = "line 1\nline 2\n";
  return facts;
}

TEST(AlertProgram, AddressIsWrittenAMail) {
  const AlertProgram program = alert_program("me@example.org", alert_facts());
  EXPECT_NE(program.args.front().find("sendmail"), std::string::npos);
  EXPECT_TRUE(program.input.starts_with("To: me@example.org\nSubject: [box] web-1: killed by SEGV")) << program.input;
  EXPECT_NE(program.input.find("held back since the last mail: 4"), std::string::npos);
  EXPECT_TRUE(program.input.ends_with("line 1\nline 2\n"));
}

TEST(AlertProgram, HeadersCannotBeSmuggledIn) {
  AlertFacts evil = alert_facts();
  evil.text = "x\nBcc: everybody@example.org";
  const AlertProgram program = alert_program("me@example.org", evil);
  const std::string headers = program.input.substr(0, program.input.find("\n\n"));
  EXPECT_EQ(headers.find("\nBcc:"), std::string::npos) << headers;
}

TEST(AlertProgram, UrlIsSentJson) {
  const AlertProgram program = alert_program("https://example.org/hook", alert_facts());
  EXPECT_EQ(program.args.front(), "curl");
  EXPECT_EQ(program.config, "url = \"https://example.org/hook\"\n");
  auto sent = parse_as<AlertFacts>(program.input);
  ASSERT_TRUE(sent) << program.input;
  EXPECT_EQ(sent->signal, "SEGV");
  EXPECT_EQ(sent->last_lines, "line 1\nline 2\n");
}

TEST(AlertProgram, SecretsAreNeitherShownNorOnACommandLine) {
  const std::string secret = "https://me:secret@example.org/hook?token=secret";
  const AlertProgram program = alert_program(secret, alert_facts());
  for (const auto& arg : program.args) EXPECT_EQ(arg.find("secret"), std::string::npos) << arg;
  EXPECT_NE(program.config.find("token=secret"), std::string::npos);
  EXPECT_EQ(without_secrets(secret), "https://example.org/hook");
  EXPECT_EQ(without_secrets("http://example.org/a@b"), "http://example.org/a@b");
  EXPECT_EQ(without_secrets("me@example.org"), "me@example.org");
  EXPECT_EQ(without_secrets("./tell --password secret"), "./tell");
}

TEST(AlertProgram, AnythingElseIsACommandWithTheFactsInItsEnvironment) {
  const AlertProgram program = alert_program("./tell --who 'me@home now'", alert_facts());
  EXPECT_EQ(program.args, (std::vector<std::string>{"/bin/sh", "-c", "./tell --who 'me@home now'"}));
  const auto has = [&](const std::string& variable) {
    return std::find(program.env.begin(), program.env.end(), variable) != program.env.end();
  };
  EXPECT_TRUE(has("USVC_JOB=web-1"));
  EXPECT_TRUE(has("USVC_SIGNAL=SEGV"));
  EXPECT_TRUE(has("USVC_EXIT_CODE="));
  EXPECT_TRUE(has("USVC_DEATHS=3"));
  // The mark of the job's own processes would have the helper swept with them.
  EXPECT_TRUE(std::none_of(program.env.begin(), program.env.end(),
                           [](const std::string& variable) { return variable.starts_with("USVC_RUN="); }));
  EXPECT_EQ(program.input, "line 1\nline 2\n");
}

}  // namespace
}  // namespace usvc
