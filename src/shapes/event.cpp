#include "shapes/event.h"

namespace usvc {

bool is_record(const Event& event) {
  return event.event == "wanted" || event.event == "spawned" || event.event == "request" || event.event == "hashed" ||
         event.event == "hook-passed" || event.event == "upgrade" || event.event == "checkpoint" ||
         event.event == "checkpoint-end";
}

std::string event_line(const Event& event) {
  return to_json_text(event, Absent::omit);
}

Result<Event> parse_event(std::string_view line) {
  auto event = parse_as<Event>(line);
  if (event && event->event.empty()) return fail("a journal line without \"event\"");
  return event;
}

}  // namespace usvc
