// A journal of any bytes: folded and read without an end to anything, with any of its lines missing, and a checkpoint
// of what was folded says the same.
#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "cli/words.h"
#include "fuzz.h"
#include "journal/fold.h"
#include "journal/reader.h"
#include "journal/writer.h"

namespace {

using namespace usvc;
using fuzz::must;

constexpr double now = 1'764'000'000;

struct World {
  fuzz::Scratch scratch;
  const std::string& dir = scratch.path();
};

void empty(const std::string& dir) {
  const auto names = list_dir(dir);
  must(names.has_value(), "the directory can be read");
  for (const auto& name : *names) must(remove_all(dir + "/" + name).has_value(), "a segment can be removed");
}

void put(const std::string& dir, const std::vector<std::string>& segments) {
  empty(dir);
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const auto path = segment_path(dir, i + 1);
    must(write_file_atomically(path, segments[i], Flush::no).has_value(), "a segment can be written");
  }
}

Picture fold(const std::string& dir) {
  auto picture = fold_journal(dir);
  must(picture.has_value(), "a journal that can be read can be folded");
  for (const auto& complaint : picture->complaints) fuzz::must_be_one_line(Error(complaint));
  for (const auto& [name, record] : picture->jobs) must(record.name == name, "a record has its job's name", name);
  return std::move(*picture);
}

std::size_t read_through(const std::string& dir) {
  std::size_t count = 0;
  JournalReader reader(dir, [](const std::string& message) { fuzz::must_be_one_line(Error(message)); });
  const auto status = reader.read([&](const Event& event, std::string_view line) -> Status {
    ++count;
    must(line.find('\n') == std::string_view::npos, "a line is one line");
    const std::string shown = event_line_for_people(event, 12);
    must(shown == printable(shown), "what is shown of an event is text", shown);
    const std::string written = event_line(event);
    const auto again = parse_event(written);
    must(again.has_value(), "an event that was written can be read", written);
    must(again->event == event.event && again->job == event.job && again->key == event.key, "and says the same",
         written);
    return {};
  });
  must(status.has_value(), "a journal that can be read is read to its end");
  return count;
}

// Doubles go through text and come back within a few units in the last place.
std::string rounded(const json::value& value) {
  if (value.is_double()) {
    char text[40];
    (void)std::snprintf(text, sizeof text, "%.12g", value.get_double());
    return text;
  }
  std::string text;
  if (value.is_object()) {
    for (const auto& member : value.get_object())
      text += std::string(member.key()) + ":" + rounded(member.value()) + ",";
    return "{" + text + "}";
  }
  return json_text(value);
}

std::string told(const Picture& picture) {
  std::string text;
  for (const auto& [name, record] : picture.jobs) text += rounded(to_json(record)) + "\n";
  for (const auto& [key, seen] : picture.requests) {
    if (!seen.jobs.empty()) text += key + " " + std::to_string(seen.jobs.size()) + "\n";
  }
  return text;
}

void must_outlive_checkpoint(const std::string& dir, const Picture& picture) {
  auto writer = JournalWriter::open(dir);
  must(writer.has_value(), "the journal can be written");
  must(writer->checkpoint(picture, now).has_value(), "a checkpoint can be written");
  const Picture again = fold(dir);
  must(told(again) == told(picture), "a checkpoint says what was folded", told(picture) + "\nbecame\n" + told(again));
  must(again.skipped_lines == 0, "a checkpoint has no unreadable line");
}

std::string without_each(std::string_view segment, std::size_t nth, std::size_t& number) {
  std::string text;
  for (const auto line : split(segment, '\n')) {
    if (++number % nth != 0) text.append(line).append("\n");
  }
  return text;
}

}  // namespace

// Segments are parted by lines "---".
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const World world;
  std::vector<std::string> segments(1);
  for (const auto line : split(fuzz::text_of(data, size), '\n')) {
    if (line == "---") {
      if (segments.size() == 6) return 0;
      segments.emplace_back();
    } else {
      segments.back().append(line).append("\n");
    }
  }
  segments.back().pop_back();  // the last line may be torn
  put(world.dir, segments);
  read_through(world.dir);
  const Picture picture = fold(world.dir);
  must_outlive_checkpoint(world.dir, picture);
  for (const std::size_t nth : {std::size_t{2}, 3 + size % 5}) {
    std::size_t number = 0;
    std::vector<std::string> fewer;
    for (const auto& segment : segments) fewer.push_back(without_each(segment, nth, number));
    put(world.dir, fewer);
    must_outlive_checkpoint(world.dir, fold(world.dir));
  }
  return 0;
}
