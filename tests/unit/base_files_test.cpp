#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <thread>
#include <utility>

#include "base/files.h"
#include "unit/temporary_directory.h"

namespace usvc {
namespace {

class FilesTest : public testing::Test {
 protected:
  [[nodiscard]] std::string at(const std::string& name) const { return directory_.path() + "/" + name; }
  static mode_t mode_of(const std::string& path) {
    struct stat info {};
    EXPECT_EQ(::stat(path.c_str(), &info), 0) << path;
    return info.st_mode & 07777U;
  }

 private:
  TemporaryDirectory directory_;
};

struct Pipe {
  Fd read;
  Fd write;
};
Pipe make_pipe() {
  std::array<int, 2> ends{};
  EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  return {Fd(ends[0]), Fd(ends[1])};
}

TEST_F(FilesTest, OpenedFilesCloseOnExec) {
  const auto fd = open_file(at("new"), O_WRONLY | O_CREAT);
  ASSERT_TRUE(fd);
  EXPECT_NE(::fcntl(fd->get(), F_GETFD) & FD_CLOEXEC, 0);
  EXPECT_EQ(mode_of(at("new")) & 077U, 0U);
}

TEST_F(FilesTest, ErrorsNameThePathAndKeepTheReason) {
  const auto fd = open_file(at("missing"), O_RDONLY);
  ASSERT_FALSE(fd);
  EXPECT_EQ(fd.error().code(), ENOENT);
  EXPECT_EQ(fd.error().message(), "cannot open " + at("missing") + ": No such file or directory");
}

TEST_F(FilesTest, ReadsBackWhatWasWritten) {
  for (const std::size_t size : {0U, 1U, 4095U, 4096U, 4097U, 1'000'000U}) {
    std::string bytes(size, 'x');
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 7);
    ASSERT_TRUE(write_file_atomically(at("file"), bytes));
    const auto back = read_file(at("file"));
    ASSERT_TRUE(back) << back.error().message();
    EXPECT_EQ(*back, bytes) << size;
  }
}

TEST_F(FilesTest, RefusesToReadMoreThanTheLimit) {
  ASSERT_TRUE(write_file_atomically(at("file"), "12345"));
  EXPECT_EQ(read_file(at("file"), 5).value(), "12345");
  const auto more = read_file(at("file"), 4);
  ASSERT_FALSE(more);
  EXPECT_EQ(more.error().code(), EFBIG);
  EXPECT_FALSE(read_file(at("file"), 0));
  // No size is known here before the end has been read.
  EXPECT_FALSE(read_file("/dev/zero", 100'000));
  EXPECT_EQ(read_file("/dev/null", 0).value(), "");
  EXPECT_EQ(read_file(at("")).error().code(), EISDIR);
}

TEST_F(FilesTest, ReadsFilesWithoutASize) {
  const auto stat = read_file("/proc/self/stat");
  ASSERT_TRUE(stat);
  EXPECT_TRUE(stat->starts_with(std::to_string(::getpid()) + " ")) << *stat;
  EXPECT_TRUE(stat->ends_with("\n"));
}

TEST_F(FilesTest, ReadSmallReusesItsBufferAndReadsToTheEnd) {
  std::string buffer = "left over from before";
  EXPECT_TRUE(read_small("/proc/self/stat", buffer));
  EXPECT_TRUE(buffer.starts_with(std::to_string(::getpid()) + " ")) << buffer;
  EXPECT_TRUE(buffer.ends_with("\n"));
  const std::string large(100'000, 'y');
  ASSERT_TRUE(write_file_atomically(at("large"), large));
  EXPECT_TRUE(read_small(at("large").c_str(), buffer));
  EXPECT_EQ(buffer, large);
  // More lines than the kernel hands out at once.
  const auto whole = read_file("/proc/kallsyms");
  if (whole && whole->size() > 8192) {
    EXPECT_TRUE(read_small("/proc/kallsyms", buffer));
    EXPECT_EQ(buffer.size(), whole->size());
  }
  EXPECT_FALSE(read_small(at("missing").c_str(), buffer));
  EXPECT_EQ(buffer, "");
  EXPECT_FALSE(read_small(at("").c_str(), buffer));
}

TEST_F(FilesTest, WritesEverythingToASlowReader) {
  Pipe pipe = make_pipe();
  const std::string bytes(1'000'000, 'z');
  std::string got;
  std::thread reader([&got, fd = std::move(pipe.read)] {
    std::array<char, 777> part{};
    ssize_t count = 0;
    while ((count = ::read(fd.get(), part.data(), part.size())) > 0) {
      got.append(part.data(), static_cast<std::size_t>(count));
    }
  });
  EXPECT_TRUE(write_all(pipe.write, bytes));
  pipe.write.reset();
  reader.join();
  EXPECT_EQ(got, bytes);
}

TEST_F(FilesTest, AFailedWriteIsAnError) {
  const auto full = open_file("/dev/full", O_WRONLY);
  ASSERT_TRUE(full);
  const auto written = write_all(*full, "x");
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code(), ENOSPC);
  EXPECT_TRUE(write_all(*full, ""));
}

TEST_F(FilesTest, ReplacingIsOneStepAndLeavesNothingBehind) {
  ASSERT_TRUE(write_file_atomically(at("file"), "old"));
  const auto old = open_file(at("file"), O_RDONLY);
  ASSERT_TRUE(old);
  const mode_t before = ::umask(0);
  EXPECT_TRUE(write_file_atomically(at("file"), "new", Flush::no));
  ::umask(before);
  EXPECT_EQ(read_file(at("file")).value(), "new");
  EXPECT_EQ(mode_of(at("file")), 0600U);
  // Who had it open still reads the old bytes: it was replaced, not rewritten.
  std::array<char, 4> bytes{};
  ASSERT_EQ(::read(old->get(), bytes.data(), bytes.size()), 3);
  EXPECT_STREQ(bytes.data(), "old");
  EXPECT_EQ(list_dir(at("")).value(), std::vector<std::string>{"file"});
}

TEST_F(FilesTest, AFailedReplacementLeavesNothingBehind) {
  ASSERT_EQ(::mkdir(at("directory").c_str(), 0700), 0);
  const auto written = write_file_atomically(at("directory"), "x");
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code(), EISDIR) << written.error().message();
  EXPECT_EQ(list_dir(at("")).value(), std::vector<std::string>{"directory"});
  EXPECT_EQ(write_file_atomically(at("no/file"), "x").error().code(), ENOENT);
}

TEST_F(FilesTest, MakesPrivateDirectories) {
  const mode_t before = ::umask(0277);
  const auto made = ensure_private_dir(at("one"));
  ::umask(before);
  ASSERT_TRUE(made) << made.error().message();
  EXPECT_EQ(mode_of(at("one")), 0700U);
  ASSERT_TRUE(ensure_private_dir(at("a/b/c")));
  EXPECT_EQ(mode_of(at("a/b/c")), 0700U);
  EXPECT_TRUE(ensure_private_dir(at("a/b/c"))) << "it is there already";
  EXPECT_TRUE(ensure_private_dir(at("a/b/c/")));
  EXPECT_FALSE(ensure_private_dir(""));
}

TEST_F(FilesTest, RefusesDirectoriesThatOthersCanWriteTo) {
  ASSERT_TRUE(ensure_private_dir(at("shared")));
  for (const mode_t mode : {0770U, 0702U, 0777U, 01777U}) {
    ASSERT_EQ(::chmod(at("shared").c_str(), mode), 0);
    const auto checked = ensure_private_dir(at("shared"));
    ASSERT_FALSE(checked) << mode;
    EXPECT_EQ(checked.error().message(),
              "cannot use directory " + at("shared") + ": others can write to it (chmod go-w " + at("shared") + ")");
  }
  ASSERT_EQ(::chmod(at("shared").c_str(), 0755), 0);
  EXPECT_TRUE(ensure_private_dir(at("shared"))) << "others may look";
}

TEST_F(FilesTest, RefusesDirectoriesOfSomebodyElse) {
  if (::geteuid() == 0) {
    ASSERT_TRUE(ensure_private_dir(at("theirs")));
    ASSERT_EQ(::chown(at("theirs").c_str(), 12345, 12345), 0);
    const auto checked = ensure_private_dir(at("theirs"));
    ASSERT_FALSE(checked);
    EXPECT_NE(checked.error().message().find("it belongs to user 12345"), std::string::npos);
  } else {
    // The root directory is there and belongs to root.
    const auto checked = ensure_private_dir("/");
    ASSERT_FALSE(checked);
    EXPECT_NE(checked.error().message().find("it belongs to user"), std::string::npos) << checked.error().message();
  }
}

TEST_F(FilesTest, AFileInTheWayIsNoDirectory) {
  ASSERT_TRUE(write_file_atomically(at("file"), ""));
  EXPECT_EQ(ensure_private_dir(at("file")).error().code(), ENOTDIR);
  EXPECT_EQ(ensure_private_dir(at("file/below")).error().code(), ENOTDIR);
  EXPECT_EQ(ensure_private_dir(at("file/far/below")).error().code(), ENOTDIR);
}

TEST_F(FilesTest, ListsNamesWithoutDots) {
  for (const char* name : {"b", ".hidden", "a"}) ASSERT_TRUE(write_file_atomically(at(name), ""));
  auto names = list_dir(at(""));
  ASSERT_TRUE(names);
  std::sort(names->begin(), names->end());
  EXPECT_EQ(*names, (std::vector<std::string>{".hidden", "a", "b"}));
  EXPECT_EQ(list_dir(at("missing")).error().code(), ENOENT);
  EXPECT_EQ(list_dir(at("a")).error().code(), ENOTDIR);
}

TEST_F(FilesTest, RemovesTreesButNotWhatLinksPointTo) {
  ASSERT_TRUE(ensure_private_dir(at("kept")));
  ASSERT_TRUE(write_file_atomically(at("kept/file"), "x"));
  ASSERT_TRUE(ensure_private_dir(at("tree/deep")));
  ASSERT_TRUE(write_file_atomically(at("tree/deep/file"), "x"));
  ASSERT_EQ(::symlink(at("kept").c_str(), at("tree/link").c_str()), 0);
  ASSERT_TRUE(remove_all(at("tree")));
  EXPECT_EQ(list_dir(at("")).value(), std::vector<std::string>{"kept"});
  EXPECT_EQ(read_file(at("kept/file")).value(), "x");
  EXPECT_TRUE(remove_all(at("tree"))) << "gone is what was wanted";
  EXPECT_TRUE(remove_all(at("kept/file")));
  EXPECT_TRUE(list_dir(at("kept")).value().empty());
}

}  // namespace
}  // namespace usvc
