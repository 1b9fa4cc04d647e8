#include "foreign/export.h"
#include "unit/foreign_testing.h"

namespace usvc::foreign {
namespace {

Saved job_named(const std::string& name) {
  Saved saved;
  saved.conf.name = name;
  saved.conf.group = "web";
  saved.conf.cmd = "/bin/serve";
  saved.conf.args = {"", "two words", "it's $5 100%", "\"q\"", "back\\slash", ";"};
  saved.conf.cwd = "/srv/app";
  saved.conf.stop_signal = SIGINT;
  saved.env = {"A=b c", "P=50%"};
  return saved;
}

std::string remarks_of(const Exported& exported) {
  std::string text;
  for (const auto& remark : exported.remarks) text += remark.text + "\n";
  return text;
}

TEST(ForeignExport, AProcfileIsLoadedAgainAsItWas) {
  auto elsewhere = job_named("web-2");
  elsewhere.conf.cwd = "/srv/else";
  const auto exported = export_set(Target::procfile, {job_named("web-1"), elsewhere}, "/srv/app");
  const std::string text = one_text(exported.files);
  const auto again = imported(Format::procfile, text, somewhere("Procfile"));
  ASSERT_EQ(again.jobs.size(), 2U) << text;
  EXPECT_EQ(run_by(again.jobs[0]), "/bin/serve||two words|it's $5 100%|\"q\"|back\\slash|;") << text;
  EXPECT_EQ(variable_of(again.jobs[0], "A"), "b c");
  EXPECT_TRUE(run_by(again.jobs[1]).starts_with("/bin/sh|-c|cd /srv/else && A='b c' ")) << text;
  EXPECT_NE(remarks_of(exported).find("web-1: stop-signal = INT: a Procfile has no word for it"), std::string::npos)
      << remarks_of(exported);
}

TEST(ForeignExport, WhatAFormatCannotSayIsLeftOutAndTold) {
  auto odd = job_named("odd");
  odd.conf.args = {"new\nline"};
  const auto lines = export_set(Target::procfile, {odd}, "/");
  EXPECT_EQ(one_text(lines.files), "");
  EXPECT_TRUE(lines.remarks.front().left_out);
  odd.conf.args = {"\xff"};
  EXPECT_TRUE(export_set(Target::compose, {odd}, "/").remarks.front().left_out);
}

TEST(ForeignExport, SystemdTakesNoBytesThatAreNotText) {
  const auto left_out = [](const Saved& job) {
    const auto exported = export_set(Target::systemd, {job}, "/");
    return exported.files.empty() && !exported.remarks.empty() && exported.remarks.front().left_out;
  };
  for (const auto& spoil : std::vector<void (*)(Saved&)>{
           [](Saved& job) { job.conf.args.emplace_back("\xff"); }, [](Saved& job) { job.env.emplace_back("A=\xff"); },
           [](Saved& job) { job.conf.pre_cmd = "\xff"; }, [](Saved& job) { job.conf.log = "/\xff"; }}) {
    auto job = job_named("odd");
    spoil(job);
    EXPECT_TRUE(left_out(job));
  }
  EXPECT_FALSE(left_out(job_named("web")));
}

TEST(ForeignExport, TokensInHooksAreTold) {
  auto job = job_named("web");
  job.conf.pre_cmd = "echo ~JOB_NAME; ls ~/x";
  job.conf.post_cmd = "ls ~/x";
  const auto remarks = remarks_of(export_set(Target::systemd, {job}, "/"));
  EXPECT_NE(remarks.find("web: pre-cmd = echo ~JOB_NAME; ls ~/x: only usvc replaces"), std::string::npos) << remarks;
  EXPECT_EQ(remarks.find("post-cmd"), std::string::npos) << remarks;
}

TEST(ForeignExport, TemplatesOfProcessComposeAreTold) {
  auto job = job_named("web");
  job.conf.args = {"{{.Name}}"};
  job.env = {"F={{.ID}}"};
  const auto remarks = remarks_of(export_set(Target::compose, {job}, "/"));
  EXPECT_NE(remarks.find("web: {{.Name}}: process-compose fills in"), std::string::npos) << remarks;
  EXPECT_NE(remarks.find("web: F={{.ID}}: process-compose fills in"), std::string::npos) << remarks;
  EXPECT_EQ(remarks_of(export_set(Target::systemd, {job}, "/")).find("{{"), std::string::npos);
}

TEST(ForeignExport, ComposeIsLoadedAgainAsItWas) {
  auto job = job_named("web-1");
  job.conf.args.emplace_back("new\nline ü");
  job.wanted = false;
  const std::string text = one_text(export_set(Target::compose, {job}, "/").files);
  const auto again = imported(Format::compose, text, somewhere("p.yaml"));
  ASSERT_EQ(names_of(again), (std::vector<std::string>{"web/web-1"})) << text;
  EXPECT_EQ(run_by(again.jobs[0]), "/bin/serve||two words|it's $5 100%|\"q\"|back\\slash|;|new\nline ü") << text;
  EXPECT_EQ(variable_of(again.jobs[0], "A"), "b c");
  EXPECT_EQ(value_of(again.jobs[0], "stop-signal"), "2");
  EXPECT_EQ(value_of(again.jobs[0], "tty"), "true");
  EXPECT_FALSE(again.jobs[0].start);
}

TEST(ForeignExport, UnitsQuoteAsSystemdReads) {
  const auto exported = export_set(Target::systemd, {job_named("web-1"), job_named("web-2")}, "/");
  ASSERT_EQ(exported.files.size(), 2U);
  EXPECT_EQ(exported.files[0].name, "web-1.service");
  const std::string& text = exported.files[0].text;
  for (const auto* line :
       {"ExecStart=\"/bin/serve\" \"\" \"two words\" \"it's $$5 100%%\" \"\\\"q\\\"\" \"back\\\\slash\" \";\"\n",
        "Environment=\"P=50%%\"\n", "WorkingDirectory=/srv/app\n", "KillSignal=SIGINT\n", "Restart=always\n",
        "StartLimitIntervalSec=0\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
  }
  EXPECT_TRUE(one_text(exported.files).starts_with("# web-1.service\n[Unit]\n"));
}

TEST(ForeignExport, ToBeKilledAtOnceIsNotToBeWaitedForWithoutEnd) {
  auto job = job_named("web");
  job.conf.stop_timeout = Duration::zero();
  const std::string text = one_text(export_set(Target::systemd, {job}, "/").files);
  EXPECT_NE(text.find("TimeoutStopSec=1ms\n"), std::string::npos) << text;
}

TEST(ForeignExport, NamesInAProcfileStayApart) {
  const auto exported =
      export_set(Target::procfile, {job_named("a.b"), job_named("a_b"), job_named("c.d")}, "/srv/app");
  const auto again = imported(Format::procfile, one_text(exported.files), somewhere("Procfile"));
  EXPECT_EQ(names_of(again), (std::vector<std::string>{"a_b_2/a_b_2", "a_b/a_b", "c_d/c_d"}));
  const std::string remarks = remarks_of(exported);
  EXPECT_NE(remarks.find("a.b: a Procfile takes no dots; it is called a_b_2, as there is another a_b\n"),
            std::string::npos)
      << remarks;
}

TEST(ForeignExport, VariablesThatNoShellTakesAreLeftOutAndTold) {
  auto job = job_named("web");
  job.env = {"BASH_FUNC_x%%=() { :\n}", "1=one", "GOOD=yes"};
  for (const auto target : {Target::procfile, Target::systemd}) {
    const auto exported = export_set(target, {job}, "/srv/app");
    const std::string text = one_text(exported.files);
    const std::string remarks = remarks_of(exported);
    EXPECT_NE(text.find("GOOD="), std::string::npos) << text;
    EXPECT_EQ(text.find("BASH_FUNC"), std::string::npos) << text;
    EXPECT_EQ(text.find("1="), std::string::npos) << text;
    EXPECT_NE(remarks.find("web: env BASH_FUNC_x%%: "), std::string::npos) << remarks;
    EXPECT_NE(remarks.find("web: env 1: "), std::string::npos) << remarks;
  }
}

}  // namespace
}  // namespace usvc::foreign
