// Under which of the terminal's settings a viewer takes what it shows to have been written.
#include "terminal/viewer.h"

namespace usvc {

namespace {

constexpr auto modes_every = std::chrono::milliseconds(100);
// A manager that is there answers within one.
constexpr auto hold_patience = std::chrono::milliseconds(50);

}  // namespace

// When it went to the alternate screen its settings have changed before; else they are looked at now and then.
void TerminalViewer::ask_for_modes(bool was_alternate) {
  const bool changed = was_alternate != ends_.modes().alternate();
  if (!changed && Clock::now() - asked_at_ < modes_every) return;
  asked_at_ = Clock::now();
  const std::int64_t asked = link_.ask();
  if (changed) trusted_ask_ = asked;
}

// Until it is known whether a \n alone is one that the terminal would have mapped. Without an answer it is taken for
// such, as it is in the past (replay).
bool TerminalViewer::hold(std::string_view bytes, std::uint64_t end) {
  if (end <= held_end_ || picture_ || !ends_.needs_modes(bytes)) return false;
  if (run_over_) {  // nobody can tell any more
    ends_.set_modes({});
    return false;
  }
  held_ = true;
  held_end_ = end;
  asked_at_ = Clock::now();
  trusted_ask_ = link_.ask();
  hold_timer_.expires_after(hold_patience);
  hold_timer_.async_wait([this](boost::system::error_code error) {
    if (error || !held_) return;
    go_on({});
    look();
  });
  return true;
}

void TerminalViewer::go_on(const TerminalModes& modes) {
  held_ = false;
  hold_timer_.cancel();
  ends_.set_modes(modes);
}

}  // namespace usvc
