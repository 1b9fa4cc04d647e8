#include <gtest/gtest.h>

#include <fstream>

#include "base/files.h"
#include "journal/fold.h"
#include "journal/writer.h"
#include "unit/temporary_directory.h"

namespace usvc {
namespace {

class FoldTest : public testing::Test {
 protected:
  void append(const std::string& text) { std::ofstream(segment_path(dir_, 1), std::ios::app) << text; }
  JobRecord web() {
    auto picture = fold_journal(dir_);
    EXPECT_TRUE(picture) << picture.error().message();
    return picture->jobs["web"];
  }

  TemporaryDirectory directory_;
  const std::string dir_ = directory_.path();
};

constexpr char one_crash[] =
    R"({"t":10,"job":"web","event":"wanted","wanted":true,"key":"k1"})"
    "\n"
    R"({"t":10.5,"job":"web","run_id":"web.1.00000001","event":"starting","log_offset":7})"
    "\n"
    R"({"t":10.6,"job":"web","run_id":"web.1.00000001","event":"spawned","pid":42,"start_ticks":99,"boot_id":"b"})"
    "\n"
    R"({"t":10.7,"job":"web","run_id":"web.1.00000001","event":"running","pid":42})"
    "\n";

TEST_F(FoldTest, RunningJobIsKnownByItsIdentity) {
  append(one_crash);
  const JobRecord record = web();
  EXPECT_TRUE(record.wanted);
  EXPECT_EQ(record.state, "running");
  EXPECT_EQ(record.runs, 1);
  EXPECT_EQ(record.pid, 42);
  EXPECT_EQ(record.start_ticks, 99);
  EXPECT_EQ(record.log_offset, 7);
  EXPECT_FALSE(record.exit_recorded);
  EXPECT_DOUBLE_EQ(record.started_at.value_or(0), 10.7);
}

TEST_F(FoldTest, AStopIsKnownByItsBeginningUntilTheNextRun) {
  append(one_crash);
  EXPECT_FALSE(web().stopping_at);
  append(R"({"t":20.5,"job":"web","run_id":"web.1.00000001","event":"stopping"})"
         "\n"
         R"({"t":21,"job":"web","run_id":"web.1.00000001","event":"exited","signal":"KILL","asked":true})"
         "\n");
  EXPECT_DOUBLE_EQ(web().stopping_at.value_or(0), 20.5);
  append(R"({"t":30,"job":"web","run_id":"web.2.00000002","event":"starting"})"
         "\n");
  EXPECT_FALSE(web().stopping_at);
}

TEST_F(FoldTest, ExitIsADeathUnlessAskedForOrGood) {
  struct Case {
    const char* fields;
    std::int64_t deaths;
    std::int64_t young;
  };
  const Case cases[] = {
      {R"("code":1,"ran":5)", 1, 1},
      {R"("signal":"KILL","ran":5)", 1, 1},
      {R"("message":"could not be executed","ran":0)", 1, 1},
      {R"("code":0,"ran":5)", 0, 1},
      {R"("ran":5)", 0, 1},  // nobody saw how it ended
      {R"("signal":"TERM","ran":5,"asked":true)", 0, 0},
      {R"("code":3,"ran":61)", 1, 0},
  };
  for (const auto& exit : cases) {
    Picture picture;
    for (const auto* line : {R"({"t":1,"job":"web","run_id":"web.1.00000001","event":"starting"})"}) {
      apply(picture, *parse_event(line));
    }
    const std::string line =
        std::string(R"({"t":20,"job":"web","run_id":"web.1.00000001","event":"exited",)") + exit.fields + "}";
    apply(picture, *parse_event(line));
    const JobRecord& record = picture.jobs["web"];
    EXPECT_EQ(record.deaths, exit.deaths) << exit.fields;
    EXPECT_EQ(record.young_ends, exit.young) << exit.fields;
    EXPECT_TRUE(record.exit_recorded);
    EXPECT_EQ(record.state, "dead");
  }
}

TEST_F(FoldTest, TornAndGarbageLinesAreSkippedAndNamedOnce) {
  append(one_crash);
  append("\x01\x02 garbage\n[1,2]\n{\"t\":1}\n");
  append(R"({"t":12,"job":"web","run_id":"web.1.00000001","event":"exited","code":1,"ran":1.5})"
         "\n");
  append(R"({"t":13,"job":"web","ev)");
  auto picture = fold_journal(dir_);
  ASSERT_TRUE(picture);
  EXPECT_EQ(picture->jobs["web"].deaths, 1);
  EXPECT_EQ(picture->skipped_lines, 4U);
  ASSERT_EQ(picture->complaints.size(), 1U);
  EXPECT_NE(picture->complaints[0].find("00000001.jsonl:5"), std::string::npos) << picture->complaints[0];
}

TEST_F(FoldTest, WriterEndsATornLineBeforeItGoesOn) {
  append(R"({"t":13,"job":"web","ev)");
  auto writer = JournalWriter::open(dir_);
  ASSERT_TRUE(writer);
  Event event;
  event.t = 14;
  event.event = "wanted";
  event.job = "web";
  event.wanted = true;
  ASSERT_TRUE(writer->append(event));
  EXPECT_TRUE(web().wanted);
}

TEST_F(FoldTest, CheckpointHoldsEverythingAndOlderSegmentsAreNotNeeded) {
  append(one_crash);
  auto picture = fold_journal(dir_);
  ASSERT_TRUE(picture);
  auto writer = JournalWriter::open(dir_);
  ASSERT_TRUE(writer);
  ASSERT_TRUE(writer->checkpoint(*picture, 20));
  ASSERT_TRUE(remove_all(segment_path(dir_, 1)));
  auto again = fold_journal(dir_);
  ASSERT_TRUE(again);
  EXPECT_EQ(to_json_text(again->jobs["web"]), to_json_text(picture->jobs["web"]));
  ASSERT_TRUE(again->requests.contains("k1"));
  EXPECT_EQ(again->requests["k1"].jobs, std::vector<std::string>{"web"});
}

TEST_F(FoldTest, BrokenCheckpointFallsBackToTheSegmentBefore) {
  append(one_crash);
  std::ofstream(segment_path(dir_, 2)) << R"({"t":20,"job":"web","event":"checkpoint","state":{"na)";
  EXPECT_EQ(web().state, "running");
}

TEST_F(FoldTest, AJobOfThatNameIsNoCheckpointEnd) {
  append(one_crash);
  std::ofstream(segment_path(dir_, 2)) << R"({"t":20,"job":"web","event":"checkpoint","state":{"na)"
                                       << "\n"
                                       << R"({"t":21,"job":"checkpoint-end","event":"wanted","wanted":true})"
                                       << "\n";
  EXPECT_EQ(web().state, "running");
}

TEST_F(FoldTest, ACheckpointIsOfTheJobItWasWrittenFor) {
  append(R"({"t":20,"job":"web","event":"checkpoint","state":{"name":"mail","state":"running","runs":3}})"
         "\n");
  EXPECT_EQ(web().name, "web");
  EXPECT_EQ(web().runs, 3);
}

TEST_F(FoldTest, DamagedNumbersCanStillBeCountedOn) {
  append(R"({"t":20,"job":"web","event":"checkpoint","state":{"runs":9223372036854775807,"deaths":9223372036854775807,)"
         R"("deaths_in_a_row":9223372036854775807,"young_ends":-9223372036854775808}})"
         "\n"
         R"({"t":21,"job":"web","event":"exited","code":1,"ran":-1e300})"
         "\n");
  EXPECT_EQ(web().deaths, 1'000'000'000);
  EXPECT_EQ(web().deaths_in_a_row, 1'000'000'000);
  EXPECT_EQ(web().runs, 1'000'000'000);
  EXPECT_EQ(web().young_ends, 1);
  append(R"({"t":22,"job":"web","run_id":"web.18446744073709551615.0a1b2c3d","event":"starting"})"
         "\n"
         R"({"t":23,"job":"web","event":"exited","code":1,"ran":1e300})"
         "\n");
  EXPECT_EQ(web().runs, 1'000'000'000);
  EXPECT_EQ(web().young_ends, 0);
}

TEST_F(FoldTest, CleanedJobIsForgotten) {
  append(one_crash);
  append(R"({"t":30,"job":"web","event":"cleaned"})"
         "\n");
  auto picture = fold_journal(dir_);
  ASSERT_TRUE(picture);
  EXPECT_FALSE(picture->jobs.contains("web"));
}

TEST_F(FoldTest, OldRequestsAreForgotten) {
  append(one_crash);
  auto picture = fold_journal(dir_);
  ASSERT_TRUE(picture);
  forget_old_requests(*picture, 11);
  EXPECT_EQ(picture->requests.size(), 1U);
  forget_old_requests(*picture, 10'000);
  EXPECT_TRUE(picture->requests.empty());
}

TEST_F(FoldTest, UpgradeIsRememberedAndHowItEnded) {
  append(R"({"t":10,"event":"upgrade","key":"u1","manager_version":"1.0","keeper_version":"0.9"})"
         "\n");
  auto begun = fold_journal(dir_);
  ASSERT_TRUE(begun && begun->upgrade);
  EXPECT_EQ(begun->upgrade->key, "u1");
  EXPECT_FALSE(begun->upgrade->code);
  append(
      R"({"t":11,"event":"upgrade","key":"u1","code":1,"message":"no","manager_version":"1.0","keeper_version":"1.1"})"
      "\n");
  auto over = fold_journal(dir_);
  ASSERT_TRUE(over && over->upgrade);
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(over->upgrade->code, 1);
    EXPECT_EQ(over->upgrade->message, "no");
    EXPECT_EQ(over->upgrade->keeper_from, "0.9");
    EXPECT_EQ(over->upgrade->keeper_to, "1.1");
    auto writer = JournalWriter::open(dir_);
    ASSERT_TRUE(writer);
    ASSERT_TRUE(writer->checkpoint(*over, 20));
    ASSERT_TRUE(remove_all(segment_path(dir_, 1)));
    over = fold_journal(dir_);
    ASSERT_TRUE(over && over->upgrade);
  }
  forget_old_requests(*over, 12);
  EXPECT_TRUE(over->upgrade);
  forget_old_requests(*over, 10'000);
  EXPECT_FALSE(over->upgrade);
}

TEST_F(FoldTest, NoJournalIsAnErrorThatSaysWhere) {
  auto picture = fold_journal(dir_ + "/none");
  ASSERT_FALSE(picture);
  EXPECT_NE(picture.error().message().find("/none"), std::string::npos);
}

}  // namespace
}  // namespace usvc
