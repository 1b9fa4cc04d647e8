// Bodies of requests and answers: what is taken can be written and taken again, and nothing is nested without end.
#include "shapes/requests.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "fuzz.h"
#include "shapes/event.h"
#include "shapes/record.h"
#include "shapes/terminal.h"

namespace {

using namespace usvc;
using fuzz::must;

std::size_t depth(const json::value& value) {
  std::size_t deepest = 0;
  if (value.is_array()) {
    for (const auto& element : value.get_array()) deepest = std::max(deepest, depth(element));
  } else if (value.is_object()) {
    for (const auto& member : value.get_object()) deepest = std::max(deepest, depth(member.value()));
  } else {
    return 0;
  }
  return deepest + 1;
}

// Boost 1.81 reads long fractions to within a few units in the last place.
bool near(double a, double b) {
  return a == b || std::abs(a - b) <= std::abs(a) * 1e-14 || (std::abs(a) < 1e-300 && std::abs(b) < 1e-300);
}

bool same(const json::value& a, const json::value& b) {
  if (a.is_double() && b.is_double()) return near(a.get_double(), b.get_double());
  if (a.is_array() && b.is_array()) {
    return std::ranges::equal(a.get_array(), b.get_array(), same);
  }
  if (a.is_object() && b.is_object()) {
    return std::ranges::equal(a.get_object(), b.get_object(), [](const auto& x, const auto& y) {
      return x.key() == y.key() && same(x.value(), y.value());
    });
  }
  return a == b;
}

// 1e400 is read as infinite, and JSON has no way to write that.
bool finite(const json::value& value) {
  if (value.is_array()) return std::ranges::all_of(value.get_array(), finite);
  if (value.is_object()) {
    return std::ranges::all_of(value.get_object(), [](const auto& member) { return finite(member.value()); });
  }
  return !value.is_double() || std::isfinite(value.get_double());
}

template <class T>
void take(std::string_view text) {
  auto taken = parse_as<T>(text);
  if (!taken) return fuzz::must_be_one_line(taken.error());
  const json::value written = to_json(*taken);
  const std::string line = json_text(written);
  must(line.find('\n') == std::string::npos, "JSON is written on one line", line);
  auto again = parse_as<T>(line);
  must(again.has_value(), "what was written can be read", line);
  must(same(to_json(*again), written), "what was written is read the same", line);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  const auto value = parse_json(text);
  if (!value) {
    fuzz::must_be_one_line(value.error());
    return 0;
  }
  must(depth(*value) <= 32, "nesting ends at 32 levels");
  must(!parse_json(text, size - 1), "a limit on the size holds");
  if (finite(*value)) {
    const std::string written = json_text(*value);
    must(is_utf8(written), "what is written is UTF-8");
    const auto again = parse_json(written);
    must(!is_utf8(text) || (again && same(*again, *value)), "any document is written and read the same");
  }
  take<StartRequest>(text);
  take<SelectRequest>(text);
  take<WaitRequest>(text);
  take<ViewerMessage>(text);
  take<TerminalView>(text);
  take<ConfChange>(text);
  take<LoadRequest>(text);
  take<PlainRequest>(text);
  take<OutcomesReply>(text);
  take<WaitReply>(text);
  take<ConfView>(text);
  take<SaveReply>(text);
  take<ErrorReply>(text);
  take<JobsReply>(text);
  take<StatusView>(text);
  take<VarsView>(text);
  take<JobRecord>(text);
  return 0;
}
